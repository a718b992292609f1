public import FailoverCore

/// Who is told what the data plane sees. Called on event loops: it must not wait.
public protocol ProxyObserver: Sendable {
    /// A client of the route arrived.
    func sessionArrived(route: Int)
    /// An alias, by its position in ``RouteTable/aliases``, is worth a look, and nobody is accused: a session waits for it
    /// longer than it should have to, or it ended one for a reason that may be the client's.
    func backendIsDoubtful(alias: Int)
    /// An alias that is down serves a session, which was given to it as the last resort.
    func backendServed(alias: Int)
    /// A session of the route saw its backend fail.
    func backendFailed(_ failure: BackendFailure, route: Int)
}

/// An error of a backend that a session saw.
public struct BackendFailure: Hashable, Sendable {
    public let kind: BackendErrorKind
    /// Position in ``RouteTable/aliases``.
    public let alias: Int
    /// The number of the session, as in ``SessionReport/id``.
    public let session: UInt64
    /// `127.0.0.1:5433: Connection refused`.
    public let detail: String
}

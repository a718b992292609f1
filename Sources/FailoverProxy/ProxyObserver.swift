public import FailoverCore

/// Who is told what the data plane sees. Called on event loops: it must not wait.
public protocol ProxyObserver: Sendable {
    /// A client of the route arrived.
    func sessionArrived(route: Int)
    /// A session of the route waits for an alias, by its position in ``RouteTable/aliases``, longer than it should have to.
    func backendIsSlow(alias: Int)
    /// A session of the route saw its backend fail.
    func backendFailed(_ failure: BackendFailure, route: Int)
}

/// An error of a backend that a session saw.
public struct BackendFailure: Hashable, Sendable {
    public let kind: BackendErrorKind
    /// Position in ``RouteTable/aliases``.
    public let alias: Int
    /// The session that saw it.
    public let session: UInt64
    /// `127.0.0.1:5433: Connection refused`.
    public let detail: String
}

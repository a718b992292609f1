public import FailoverCore

/// A route as the proxy serves it: where clients come in, and how their sessions are treated.
public struct ProxyRoute: Sendable {
    public var name: String
    /// Addresses to listen on.
    public var listen: [SocketAddress]
    /// Open sessions that the route may have; `nil` is no limit.
    public var maxConnections: Int?
    public var session: SessionSettings

    public init(
        name: String, listen: [SocketAddress], maxConnections: Int? = nil, session: SessionSettings = SessionSettings()
    ) {
        self.name = name
        self.listen = listen
        self.maxConnections = maxConnections
        self.session = session
    }
}

/// The times of a session.
public struct SessionSettings: Hashable, Sendable {
    /// For the connection to one alias, over all its addresses. `connect_timeout`, 1 s.
    public var connectTimeout: Duration
    /// Without a byte in either direction; `nil` is for ever. `idle_timeout`.
    public var idleTimeout: Duration?
    /// Until a backend that stopped acknowledging is given up, tcp(7); `nil` is the system's. `tcp_user_timeout`, 30 s.
    public var tcpUserTimeout: Duration?
    /// Idle time before keepalive probes, tcp(7); `nil` sends none. `keepalive`, 30 s.
    public var keepalive: Duration?

    public init(
        connectTimeout: Duration = .seconds(1),
        idleTimeout: Duration? = nil,
        tcpUserTimeout: Duration? = .seconds(30),
        keepalive: Duration? = .seconds(30)
    ) {
        self.connectTimeout = connectTimeout
        self.idleTimeout = idleTimeout
        self.tcpUserTimeout = tcpUserTimeout
        self.keepalive = keepalive
    }
}

extension Duration {
    /// Whole nanoseconds, for deadlines of a loop.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds) &* 1_000_000_000 &+ UInt64(clamping: attoseconds / 1_000_000_000)
    }

    /// Whole units rounded up, as socket options take them.
    func roundedUp(to unit: Duration) -> Int32 { Int32(clamping: Int64((self / unit).rounded(.up))) }
}

public import FailoverCore

/// How sessions of a route are treated.
public struct SessionSettings: Hashable, Sendable {
    /// What happens to sessions on an alias that went down. `on_outage`.
    public enum OutagePolicy: String, Hashable, Sendable, CaseIterable {
        /// They are closed at once, with the protocol's own message where it has a place.
        case close
        /// They are left alone.
        case keep
    }

    /// What happens to sessions on a failover alias when a better one is back. `on_recovery`.
    public enum RecoveryPolicy: String, Hashable, Sendable, CaseIterable {
        /// They are closed at transaction boundaries, one after the other.
        case drain
        /// They are closed at once.
        case close
        /// They are left alone.
        case keep
    }

    /// What happens to a session that is to be kept from writing and can't be: it is encrypted or compressed.
    /// `read_only_opaque`.
    public enum OpaquePolicy: String, Hashable, Sendable, CaseIterable {
        /// It is served all the same, and can write.
        case allow
        /// No failover alias serves it.
        case refuse
    }

    /// For the connection to one alias, over all its addresses. `connect_timeout`, 1 s.
    public var connectTimeout: Duration
    /// For a connected backend's first words, or its answer to the client's. `greeting_timeout`, 1 s.
    public var greetingTimeout: Duration
    /// For all that a client has to say before it is served. `client_startup_timeout`, 30 s.
    public var clientStartupTimeout: Duration
    /// Without a byte in either direction; `nil` is for ever. `idle_timeout`.
    public var idleTimeout: Duration?
    /// Silence after which what is left of a session is closed whose server has ended it. `half_close_timeout`, 10 s.
    public var halfCloseTimeout: Duration
    /// Until a server or a client that stopped acknowledging is given up, tcp(7); `nil` is the system's. One that
    /// acknowledges but has no room is there. `tcp_user_timeout`, 30 s.
    public var tcpUserTimeout: Duration?
    /// Until one that acknowledges, but takes nothing that waits for it, is given up; `nil` is never. `stall_timeout`.
    public var stallTimeout: Duration?
    /// Idle time before keepalive probes, half of ``tcpUserTimeout`` at most, tcp(7); `nil` sends none. `keepalive`, 30 s.
    public var keepalive: Duration?
    /// `on_outage`, close.
    public var onOutage: OutagePolicy
    /// `on_recovery`, drain.
    public var onRecovery: RecoveryPolicy
    /// Until a session that found no boundary is closed all the same; `nil` is never. `drain_deadline`.
    public var drainDeadline: Duration?
    /// How long a session that never rests, or has just begun, is not moved.
    package var drainPatience = Duration.seconds(2)
    /// How long a client of a MySQL server that has greeted may take for its login. A server gives ten seconds by default
    /// (`connect_timeout`), and counts a client that does not log in. So the proxy has less patience than that.
    package var loginPatience = Duration.seconds(9)
    /// How long a client that is refused may take to say what it is answered to.
    package var refusalPatience = Duration.seconds(5)
    /// Sessions moved a second, at least 1. `drain_rate`, 50.
    public var drainRate: Int
    /// How long a client waits for a place where `max_connections` of the route or of all aliases that would serve it is
    /// reached; `nil` is not at all. `queue_timeout`.
    public var queueTimeout: Duration?
    /// The PROXY header that a backend is sent first; `nil` is none. `send_proxy`.
    public var sendProxy: ProxyHeaderVersion?
    /// Whether clients come through a balancer that sends such a header. `accept_proxy`.
    public var acceptProxy: Bool
    /// Whether sessions on a failover alias are kept from writing by accident. `failover_read_only`.
    public var failoverReadOnly: Bool
    /// What happens to those of them that can't be. `read_only_opaque`, allow.
    public var readOnlyOpaque: OpaquePolicy

    public init(
        connectTimeout: Duration = .seconds(1),
        greetingTimeout: Duration = .seconds(1),
        clientStartupTimeout: Duration = .seconds(30),
        idleTimeout: Duration? = nil,
        halfCloseTimeout: Duration = .seconds(10),
        tcpUserTimeout: Duration? = .seconds(30),
        stallTimeout: Duration? = nil,
        keepalive: Duration? = .seconds(30),
        onOutage: OutagePolicy = .close,
        onRecovery: RecoveryPolicy = .drain,
        drainDeadline: Duration? = nil,
        drainRate: Int = 50,
        queueTimeout: Duration? = nil,
        sendProxy: ProxyHeaderVersion? = nil,
        acceptProxy: Bool = false,
        failoverReadOnly: Bool = false,
        readOnlyOpaque: OpaquePolicy = .allow
    ) {
        self.connectTimeout = connectTimeout
        self.greetingTimeout = greetingTimeout
        self.clientStartupTimeout = clientStartupTimeout
        self.idleTimeout = idleTimeout
        self.halfCloseTimeout = halfCloseTimeout
        self.tcpUserTimeout = tcpUserTimeout
        self.stallTimeout = stallTimeout
        self.keepalive = keepalive
        self.onOutage = onOutage
        self.onRecovery = onRecovery
        self.drainDeadline = drainDeadline
        self.drainRate = drainRate
        self.queueTimeout = queueTimeout
        self.sendProxy = sendProxy
        self.acceptProxy = acceptProxy
        self.failoverReadOnly = failoverReadOnly
        self.readOnlyOpaque = readOnlyOpaque
    }

    var openingLimits: SessionStateMachine.Limits {
        SessionStateMachine.Limits(
            connect: connectTimeout.nanoseconds, greeting: greetingTimeout.nanoseconds,
            clientStartup: clientStartupTimeout.nanoseconds, refusal: refusalPatience.nanoseconds)
    }
}

extension Duration {
    /// Whole nanoseconds, for deadlines of a loop; at most a hundred years, which added to any time of a loop make one.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = max(.zero, min(self, .seconds(100 * 365 * 86_400))).components
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }

    /// Whole units rounded up, as socket options take them.
    func roundedUp(to unit: Duration) -> Int32 {
        Int32(min(max(0, (self / unit).rounded(.up)), Double(Int32.max)))
    }
}

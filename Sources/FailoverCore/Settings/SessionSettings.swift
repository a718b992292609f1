/// How sessions of a route are treated.
public struct SessionSettings: Hashable, Sendable {
    /// What happens to sessions on an alias that went down. `on_outage`.
    public enum OutagePolicy: String, Hashable, Sendable, CaseIterable {
        /// They are closed at once, with a message of the protocol if it allows one at that point.
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

    /// What happens to a session that should be read-only but cannot be guarded, because it is encrypted or
    /// compressed. `read_only_opaque`.
    public enum OpaquePolicy: String, Hashable, Sendable, CaseIterable {
        /// It is served without the guard, so it can write.
        case allow
        /// No failover alias serves it.
        case refuse
    }

    /// Time limit for the connection to one alias, over all its addresses. `connect_timeout`, 1 s.
    public var connectTimeout: Duration
    /// Time limit for the greeting of a connected backend, or for its answer to the client's first message.
    /// `greeting_timeout`, 1 s.
    public var greetingTimeout: Duration
    /// Time limit for everything that a client has to send before it is served. `client_startup_timeout`, 30 s.
    public var clientStartupTimeout: Duration
    /// How long a session may be without a byte in either direction; `nil` sets no limit. `idle_timeout`.
    public var idleTimeout: Duration?
    /// How long a session whose server has ended it may stay silent before the rest is closed. `half_close_timeout`,
    /// 10 s.
    public var halfCloseTimeout: Duration
    /// How long until a server or client that stopped acknowledging counts as lost, tcp(7); `nil` for the system's
    /// default. A peer that acknowledges but has no room counts as alive. `tcp_user_timeout`, 30 s.
    public var tcpUserTimeout: Duration?
    /// How long until a peer that acknowledges but accepts no data counts as lost; `nil` for never. `stall_timeout`.
    public var stallTimeout: Duration?
    /// Idle time before keepalive probes, at most half of ``tcpUserTimeout``, tcp(7); `nil` sends none. `keepalive`,
    /// 30 s.
    public var keepalive: Duration?
    /// `on_outage`, close.
    public var onOutage: OutagePolicy
    /// `on_recovery`, drain.
    public var onRecovery: RecoveryPolicy
    /// How long until a session that reaches no boundary is closed anyway; `nil` for never. `drain_deadline`.
    public var drainDeadline: Duration?
    /// How long a session that is never idle, or that has just begun, is not moved.
    package var drainGrace = Duration.seconds(2)
    /// Time limit for the login of a client after the greeting of a MySQL server. A server allows ten seconds by
    /// default (`connect_timeout`) and counts clients that do not log in. The proxy's limit is therefore shorter.
    package var loginTimeout = Duration.seconds(9)
    /// Time limit for a refused client to send the message that the refusal answers.
    package var refusalTimeout = Duration.seconds(5)
    /// Sessions moved per second, at least 1. `drain_rate`, 50.
    public var drainRate: Int
    /// How long a client waits for a connection if `max_connections` of the route, or of all aliases that could serve
    /// it, is reached; `nil` for not at all. `queue_timeout`.
    public var queueTimeout: Duration?
    /// The PROXY header that the proxy sends to a backend first; `nil` sends none. `send_proxy`.
    public var sendProxy: ProxyHeaderVersion?
    /// Whether clients come through a load balancer that sends such a header. `accept_proxy`.
    public var acceptProxy: Bool
    /// Whether sessions on a failover alias are protected from accidental writes. `failover_read_only`.
    public var failoverReadOnly: Bool
    /// What happens to such sessions if they cannot be guarded. `read_only_opaque`, allow.
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
}

/// How new sessions are distributed among aliases that serve side by side. The raw values are those of a service's
/// configuration.
public struct BalanceSettings: Hashable, Sendable {
    public enum Policy: String, Hashable, Sendable, CaseIterable {
        /// To the alias with the fewest sessions of the route, relative to its weight.
        case leastSessions = "least_sessions"
        /// In turn, by weight.
        case roundRobin = "round_robin"
        /// To the first alias that is up and has a free connection.
        case first
    }

    /// `balance`
    public var policy: Policy
    /// How long the share of a recovered alias grows from zero to its full size. `slow_start`; 0, the default, turns
    /// this off.
    public var slowStart: Duration

    public init(policy: Policy = .leastSessions, slowStart: Duration = .zero) {
        self.policy = policy
        self.slowStart = slowStart
    }
}

/// Mode and group of the file of a Unix socket that a route listens on.
public struct UnixSocketAccess: Hashable, Sendable {
    /// Mode bits as for chmod(2), at most 0o777; `nil` leaves the mode that the umask gives. `listen_mode`.
    public var mode: UInt32?
    /// Name of a group, or its number in digits; `nil` for the group of the process. `listen_group`.
    public var group: String?

    public init(mode: UInt32? = nil, group: String? = nil) {
        self.mode = mode
        self.group = group
    }
}

/// The versions of the header by which a proxy passes on the address of its client: HAProxy's
/// `doc/proxy-protocol.txt`. The raw values are those of `send_proxy`.
public enum ProxyHeaderVersion: String, Hashable, Sendable, CaseIterable {
    /// A line of text.
    case v1
    /// Binary.
    case v2
}

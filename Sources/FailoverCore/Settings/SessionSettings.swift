/// How sessions of a route are treated. Each comment names the default and the key of the configuration file.
public struct SessionSettings: Hashable, Sendable {
    /// What happens to sessions on an alias that went down.
    public enum OutagePolicy: String, Hashable, Sendable, CaseIterable {
        /// They are closed at once. The client receives a message if its protocol allows one at that point.
        case close
        /// They stay open.
        case keep
    }

    /// What happens to sessions on a failover alias when a better alias is up again.
    public enum RecoveryPolicy: String, Hashable, Sendable, CaseIterable {
        /// They are closed at transaction boundaries, at ``SessionSettings/drainRate``.
        case drain
        /// They are closed at once.
        case close
        /// They stay open.
        case keep
    }

    /// What happens to a session that should be read-only, but that the proxy cannot read because it is encrypted or
    /// compressed.
    public enum OpaquePolicy: String, Hashable, Sendable, CaseIterable {
        /// The session is served without the guard, so it can write.
        case allow
        /// No failover alias serves the session.
        case refuse
    }

    /// Time limit for connecting to one alias, shared by its addresses. Default: 1 s. Key: `connect_timeout`.
    public var connectTimeout: Duration
    /// Time limit for the greeting of a connected backend, or for its answer to a message of the client. Default: 1 s.
    /// Key: `greeting_timeout`.
    public var greetingTimeout: Duration
    /// Time limit for all that a client must send before it is served. Default: 30 s. Key: `client_startup_timeout`.
    public var clientStartupTimeout: Duration
    /// Time limit without a byte in either direction; `nil`, the default, sets none. Key: `idle_timeout`.
    public var idleTimeout: Duration?
    /// Time limit for silence after the server has closed the connection. Default: 10 s. Key: `half_close_timeout`.
    public var halfCloseTimeout: Duration
    /// How long a server or client may leave data unacknowledged before it counts as lost, see tcp(7); `nil` for the
    /// kernel's default. A peer that acknowledges, but accepts no data, is not lost. Default: 30 s. Key:
    /// `tcp_user_timeout`.
    public var tcpUserTimeout: Duration?
    /// How long a peer may acknowledge, but accept no data, before it counts as lost; `nil`, the default, sets no
    /// limit. Key: `stall_timeout`.
    public var stallTimeout: Duration?
    /// Idle time before keepalive probes, see tcp(7), at most half of ``tcpUserTimeout``; `nil` sends none. Default: 30
    /// s. Key: `keepalive`.
    public var keepalive: Duration?
    /// What happens to sessions on an alias that went down. Default: close. Key: `on_outage`.
    public var onOutage: OutagePolicy
    /// What happens to sessions on a failover alias when a better one is up again. Default: drain. Key: `on_recovery`.
    public var onRecovery: RecoveryPolicy
    /// How long a session must have been idle before a drain closes it. Pools that check their connections do so for
    /// those that were idle for about this long. Default: 1 s. Key: `drain_idle`.
    public var drainIdle: Duration
    /// How long a session that must move, but is never idle for ``drainIdle``, is left alone. After that it is closed
    /// at any transaction boundary. Default: 30 s. Key: `drain_busy_after`.
    public var drainBusyAfter: Duration
    /// How long a drain waits for a transaction boundary before it closes a session anyway; `nil`, the default, sets no
    /// limit. Key: `drain_deadline`.
    public var drainDeadline: Duration?
    /// Whether a drain asks the server, on a monitoring connection, which sessions are at a transaction boundary, where
    /// the proxy cannot read that because they are encrypted or compressed. Default: true. Key: `attest`.
    public var attest: Bool
    /// The minimum age of an idle session that is moved, because the client of a new session will soon use or close it.
    /// When the process ends or hands its clients over, also how long a session that is never idle is left alone.
    package var drainGrace = Duration.seconds(2)
    /// Time limit for the login of a client after the greeting of a MySQL server. By default a server allows ten
    /// seconds (`connect_timeout`) and counts the clients that do not log in. The proxy's limit is therefore shorter.
    package var loginTimeout = Duration.seconds(9)
    /// Time limit for a client that the proxy refuses. The client must send a message before its protocol allows the
    /// refusal as an answer.
    package var refusalTimeout = Duration.seconds(5)
    /// The number of sessions that a drain moves per second; at least 1. Default: 50. Key: `drain_rate`.
    public var drainRate: Int
    /// How long a client waits for a free connection if `max_connections` of the route, or of all aliases that could
    /// serve it, is reached. `nil`, the default, refuses the client at once. Key: `queue_timeout`.
    public var queueTimeout: Duration?
    /// The PROXY header that the proxy sends first to a backend; `nil`, the default, sends none. Key: `send_proxy`.
    public var sendProxy: ProxyHeaderVersion?
    /// Whether clients come through a load balancer that sends a PROXY header. Default: false. Key: `accept_proxy`.
    public var acceptProxy: Bool
    /// Whether sessions on a failover alias are guarded against writes. Default: false. Key: `failover_read_only`.
    public var failoverReadOnly: Bool
    /// What happens to such sessions if the proxy cannot read them. Default: allow. Key: `read_only_opaque`.
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
        drainIdle: Duration = .seconds(1),
        drainBusyAfter: Duration = .seconds(30),
        drainDeadline: Duration? = nil,
        attest: Bool = true,
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
        self.drainIdle = drainIdle
        self.drainBusyAfter = drainBusyAfter
        self.drainDeadline = drainDeadline
        self.attest = attest
        self.drainRate = drainRate
        self.queueTimeout = queueTimeout
        self.sendProxy = sendProxy
        self.acceptProxy = acceptProxy
        self.failoverReadOnly = failoverReadOnly
        self.readOnlyOpaque = readOnlyOpaque
    }
}

/// How the preferred aliases of a route share new sessions.
public struct BalanceSettings: Hashable, Sendable {
    public enum Policy: String, Hashable, Sendable, CaseIterable {
        /// Each session goes to the alias with the fewest sessions of the route, relative to its weight.
        case leastSessions = "least_sessions"
        /// Sessions go to the aliases in turn, by weight.
        case roundRobin = "round_robin"
        /// Each session goes to the first alias that is up and has a free connection.
        case first
    }

    /// How sessions are shared. Default: least sessions. Key: `balance`.
    public var policy: Policy
    /// How long the share of a recovered alias takes to grow from zero to its full size. Default: 0, which gives the
    /// full share at once. Key: `slow_start`.
    public var slowStart: Duration

    public init(policy: Policy = .leastSessions, slowStart: Duration = .zero) {
        self.policy = policy
        self.slowStart = slowStart
    }
}

/// The mode and the group of the file of a Unix socket that a route listens on.
public struct UnixSocketAccess: Hashable, Sendable {
    /// Mode bits as for chmod(2), at most 0o777; `nil`, the default, follows the umask. Key: `listen_mode`.
    public var mode: UInt32?
    /// The name or number of a group; `nil`, the default, for the group of the process. Key: `listen_group`.
    public var group: String?

    public init(mode: UInt32? = nil, group: String? = nil) {
        self.mode = mode
        self.group = group
    }
}

/// The versions of the PROXY header, by which a proxy passes on the address of its client; see HAProxy's
/// `doc/proxy-protocol.txt`. The raw values are those of `send_proxy`.
public enum ProxyHeaderVersion: String, Hashable, Sendable, CaseIterable {
    /// A line of text.
    case v1
    /// Binary.
    case v2
}

/// A database server and how a ping logs in to it.
public struct DatabaseServer: Hashable, Sendable {
    /// The protocol that the server speaks.
    public enum Engine: String, Hashable, Sendable, CaseIterable {
        case postgres
        case mysql
        /// Any other protocol. A ping only connects, and the proxy does not read the bytes that it relays.
        case tcp
    }

    /// Whether and how the ping uses TLS. Names and meanings are those of libpq's `sslmode`.
    public enum TLSMode: String, Hashable, Sendable, CaseIterable {
        case disable
        case prefer
        case require
        case verifyCA = "verify-ca"
        case verifyFull = "verify-full"
    }

    /// The role of a server for the application. The raw values are those of `role` in the configuration.
    public enum Role: String, Hashable, Sendable, CaseIterable {
        /// Takes writes.
        case primary
        /// Follows a primary.
        case replica
    }

    /// The ways in which a PostgreSQL server can request a password. The raw values are those of `password_methods`.
    public enum PasswordMethod: String, Hashable, Sendable, CaseIterable {
        /// The answer reveals nothing that helps to log in anywhere.
        case scram
        /// The answer reveals a hash. An attacker can log in with it, and can compute short passwords from it.
        case md5
        /// The answer is the password.
        case cleartext
    }

    public var engine: Engine
    public var endpoint: Endpoint
    /// Other possible servers; none by default. The ping uses one of them: the server that last passed a ping, until it
    /// is dead or loses the ``role``; then the first server that passes the ping.
    public var alternatives: [Endpoint]
    /// The user name of the ping.
    public var user: String?
    public var password: Secret?
    /// The file that the password was read from. It is read again when the server does not accept the password.
    public var passwordFile: String?
    /// The ways in which a PostgreSQL server may request the password of the ping. The default, `nil`, allows `scram`.
    /// It allows the others only if the certificate is verified or the server is on a Unix socket.
    public var passwordMethods: Set<PasswordMethod>?
    /// The database that the ping logs in to; `nil` for the one named like the user (PostgreSQL) or none (MySQL).
    public var databaseName: String?
    /// Whether and how the ping uses TLS. Default: `prefer`. Sessions are not affected.
    public var tls: TLSMode
    /// The path of a PEM file with the trusted certificate authorities; `nil`, the default, for the system's.
    public var tlsAuthorities: String?
    /// The query that must succeed for the server to count as up. Default: `SELECT 1`.
    public var pingQuery: String
    /// The role that the server must have to count as up; `nil`, the default, allows either and skips the check.
    public var role: Role?
    /// How old the server's data may be; `nil`, the default, sets no limit and skips the check.
    public var replication: ReplicationPolicy?
    /// The PROXY header that a ping sends first, as sessions do; `nil`, the default, sends none. It is not sent over a
    /// Unix socket.
    public var proxyHeader: ProxyHeaderVersion?

    public init(
        engine: Engine,
        endpoint: Endpoint,
        alternatives: [Endpoint] = [],
        user: String? = nil,
        password: Secret? = nil,
        passwordFile: String? = nil,
        passwordMethods: Set<PasswordMethod>? = nil,
        databaseName: String? = nil,
        tls: TLSMode = .prefer,
        tlsAuthorities: String? = nil,
        pingQuery: String = "SELECT 1",
        role: Role? = nil,
        replication: ReplicationPolicy? = nil,
        proxyHeader: ProxyHeaderVersion? = nil
    ) {
        self.engine = engine
        self.endpoint = endpoint
        self.alternatives = alternatives
        self.user = user
        self.password = password
        self.passwordFile = passwordFile
        self.passwordMethods = passwordMethods
        self.databaseName = databaseName
        self.tls = tls
        self.tlsAuthorities = tlsAuthorities
        self.pingQuery = pingQuery
        self.role = role
        self.replication = replication
        self.proxyHeader = proxyHeader
    }

    /// All possible endpoints.
    public var endpoints: [Endpoint] { [endpoint] + alternatives }

    /// All possible endpoints, as text, separated by commas.
    public var place: String { endpoints.map(\.description).joined(separator: ", ") }

    /// The same server with only this endpoint.
    public func at(_ endpoint: Endpoint) -> DatabaseServer {
        var server = self
        server.endpoint = endpoint
        server.alternatives = []
        return server
    }
}

/// How old the data of a replica may be. Each comment names the key of a database alias's configuration.
public struct ReplicationPolicy: Hashable, Sendable {
    /// What happens if replication has stopped: its receiver or its applier does not run.
    public enum WhenStopped: String, Hashable, Sendable, CaseIterable {
        /// The ping fails.
        case down
        /// The lag of the replica grows from that moment.
        case lag
        /// Nothing, until replication runs again.
        case ignore
    }

    /// The largest lag. A replica that is further behind is stale. `nil` sets no limit. Key: `max_lag`.
    public var maxLag: Duration?
    /// A stale replica is fresh again when it is at most this far behind. Default: half of ``maxLag``. Key:
    /// `lag_recovers_at`.
    public var recoversAt: Duration
    /// The largest lag in bytes of the primary's log. A replica that is further behind is stale. It is fresh again at
    /// half of this. `nil`, the default, sets no limit. PostgreSQL only. Key: `max_lag_bytes`.
    public var maxLagBytes: UInt64?
    /// What happens if replication has stopped. Default: its lag grows. Key: `replication_stopped`.
    public var whenStopped: WhenStopped
    /// A query that returns how many seconds the replica is behind. `nil`, the default, uses the lag that the server
    /// reports. Key: `heartbeat_query`.
    public var heartbeatQuery: String?

    public init(
        maxLag: Duration?, recoversAt: Duration? = nil, maxLagBytes: UInt64? = nil, whenStopped: WhenStopped = .lag,
        heartbeatQuery: String? = nil
    ) {
        self.maxLag = maxLag
        self.recoversAt = recoversAt ?? (maxLag ?? .zero) / 2
        self.maxLagBytes = maxLagBytes
        self.whenStopped = whenStopped
        self.heartbeatQuery = heartbeatQuery
    }

    /// Whether a ping must query the replication status that the server reports.
    public var needsTheServersWord: Bool { heartbeatQuery == nil || whenStopped != .ignore || maxLagBytes != nil }
}

/// A database server and how a ping logs in to it.
public struct DatabaseServer: Hashable, Sendable {
    /// The protocol that the server speaks.
    public enum Engine: String, Hashable, Sendable, CaseIterable {
        case postgres
        case mysql
        /// Any other protocol. A ping only connects, and the proxy relays the bytes unread.
        case tcp
    }

    /// Whether and how the ping uses TLS; the names and meanings are libpq's `sslmode`.
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

    /// How PostgreSQL servers request a password. The raw values are those of `password_methods`.
    public enum PasswordMethod: String, Hashable, Sendable, CaseIterable {
        /// Reveals nothing that helps to log in anywhere.
        case scram
        /// Reveals a hash that is sufficient to log in, and from which short passwords can be found.
        case md5
        /// Reveals the password.
        case cleartext
    }

    public var engine: Engine
    public var endpoint: Endpoint
    /// Other possible servers; none by default. The alias is the server that has the ``role``: the one it was at the
    /// last ping as long as that has the role, otherwise the first that has it. Without a role, alternatives are
    /// ignored.
    public var alternatives: [Endpoint]
    /// User name of the ping.
    public var user: String?
    public var password: Secret?
    /// The file that the password was read from. It is read again when the server does not accept the password.
    public var passwordFile: String?
    /// How a PostgreSQL server may request the password from the ping. The default, `nil`, allows `scram`. It allows
    /// the other methods only if the server's certificate is verified or the server is on a Unix socket.
    public var passwordMethods: Set<PasswordMethod>?
    /// Database to log in to; `nil` for the user's own (PostgreSQL) or none (MySQL).
    public var databaseName: String?
    public var tls: TLSMode
    /// Path of a PEM file with the certificate authorities to trust; `nil` for the system's.
    public var tlsAuthorities: String?
    /// The query that must succeed for the server to count as up.
    public var pingQuery: String
    /// The role that the server must have to count as up; `nil`, the default, allows either and skips the check.
    public var role: Role?
    /// How old the server's data may be; `nil`, the default, sets no limit and skips the check.
    public var replication: ReplicationPolicy?
    /// The PROXY header that a ping sends first, as sessions do; `nil`, the default, sends none. It is not sent over
    /// a Unix socket. With Oracle's client library the ping fails.
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

    /// All possible endpoints, as text for people.
    public var place: String { endpoints.map(\.description).joined(separator: ", ") }

    /// The same server with only this endpoint.
    public func at(_ endpoint: Endpoint) -> DatabaseServer {
        var server = self
        server.endpoint = endpoint
        server.alternatives = []
        return server
    }
}

/// How old the data of a replica may be. The raw values are those of a database alias's configuration.
public struct ReplicationPolicy: Hashable, Sendable {
    /// What happens if replication has stopped, that is, if its receiver or applier does not run.
    public enum WhenStopped: String, Hashable, Sendable, CaseIterable {
        /// The ping fails.
        case down
        /// The lag of the replica grows.
        case lag
        /// Nothing, until replication runs again.
        case ignore
    }

    /// A replica that is further behind is stale. `max_lag`; `nil`, the default, sets no limit.
    public var maxLag: Duration?
    /// A stale replica is fresh again when it is no further behind than this. `lag_recovers_at`; default: half of
    /// ``maxLag``.
    public var recoversAt: Duration
    /// A replica that is further behind, in bytes of its primary's log, is stale. It is fresh again when it is no
    /// further behind than half of this. `max_lag_bytes`; `nil`, the default, sets no limit. PostgreSQL only.
    public var maxLagBytes: UInt64?
    /// `replication_stopped`
    public var whenStopped: WhenStopped
    /// The query that returns how many seconds the replica is behind. `heartbeat_query`; `nil`, the default, uses the
    /// lag that the server reports.
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

    /// Whether anything depends on what the server reports of its replication.
    public var needsTheServersWord: Bool { heartbeatQuery == nil || whenStopped != .ignore || maxLagBytes != nil }
}

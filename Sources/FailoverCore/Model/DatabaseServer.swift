/// A database server and how a ping logs in to it.
public struct DatabaseServer: Hashable, Sendable {
    /// The protocol that the server speaks.
    public enum Engine: String, Hashable, Sendable, CaseIterable {
        case postgres
        case mysql
        /// Any other protocol: pinged by connect, relayed unread.
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

    /// What a server is to the application. The raw values are the words of `role` in the configuration.
    public enum Role: String, Hashable, Sendable, CaseIterable {
        /// Takes writes.
        case primary
        /// Follows a primary.
        case replica
    }

    /// How PostgreSQL's servers ask for a password. The raw values are the words of `password_methods`.
    public enum PasswordMethod: String, Hashable, Sendable, CaseIterable {
        /// Shows nothing that helps to log in anywhere.
        case scram
        /// Shows a hash by which one can log in, and from which short passwords can be found.
        case md5
        /// Shows the password.
        case cleartext
    }

    public var engine: Engine
    public var endpoint: Endpoint
    /// Other servers that it may be instead; none by default. Of them all it is the one that has the ``role``: the one
    /// that it was as long as that has it, else the first. Without a role these are not looked at.
    public var alternatives: [Endpoint]
    /// Who the ping logs in as.
    public var user: String?
    public var password: Secret?
    /// The file that the password was read from; it is read again when the server does not accept the password.
    public var passwordFile: String?
    /// How a PostgreSQL server may ask the ping for the password; `nil`, the default, is by `scram`, and in the other ways
    /// only where the server's certificate is verified or it is a Unix socket.
    public var passwordMethods: Set<PasswordMethod>?
    /// Database to log in to; `nil` is the user's own (PostgreSQL) or none (MySQL).
    public var databaseName: String?
    public var tls: TLSMode
    /// Path of a PEM file with the authorities to trust; `nil` is the system's.
    public var tlsAuthorities: String?
    /// Must succeed for the server to count as up.
    public var pingQuery: String
    /// What the server must be to count as up; `nil`, the default, is either, and it is not asked.
    public var role: Role?
    /// How old the server's data may be; `nil`, the default, is as old as it likes, and it is not asked.
    public var replication: ReplicationPolicy?
    /// The PROXY header that a ping sends first, as sessions do; `nil`, the default, is none. Not over a Unix socket, and
    /// with Oracle's client library the ping fails.
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

    /// All that it may be.
    public var endpoints: [Endpoint] { [endpoint] + alternatives }

    /// Where it is or may be, for people.
    public var place: String { endpoints.map(\.description).joined(separator: ", ") }

    /// The same with one endpoint alone.
    public func at(_ endpoint: Endpoint) -> DatabaseServer {
        var server = self
        server.endpoint = endpoint
        server.alternatives = []
        return server
    }
}

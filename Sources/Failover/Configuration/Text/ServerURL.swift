import FailoverCore
import FoundationEssentials

/// The parts of a URL that names a server and a login. No message repeats any of it: it may hold a password.
struct ServerURL {
    let scheme: String
    let user: String?
    let password: Secret?
    let host: HostName
    let port: UInt16?
    /// What follows the host, decoded; empty or with a leading slash.
    let path: String

    /// - Parameter schemes: those that are right, for example `amqp`.
    init(_ text: String, schemes: [String]) throws(InvalidText) {
        let expectation = "expected a URL that starts with \(schemes.map { "\($0)://" }.joined(separator: " or "))"
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            schemes.contains(scheme)
        else {
            throw InvalidText("\(expectation); special characters in it are percent-encoded")
        }
        if parts.query != nil || parts.fragment != nil {
            throw InvalidText("the URL has parameters, which are not supported")
        }
        guard var host = parts.host, !host.isEmpty else { throw InvalidText("the URL has no host") }
        if host.hasPrefix("[") && host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        self.scheme = scheme
        self.host = try HostName(host)
        if let number = parts.port {
            guard let port = UInt16(exactly: number), port > 0 else {
                throw InvalidText("the URL's port is not from 1 to 65535")
            }
            self.port = port
        } else {
            port = nil
        }
        user = parts.user.flatMap { $0.isEmpty ? nil : $0 }
        password = parts.password.flatMap { $0.isEmpty ? nil : Secret($0) }
        path = parts.path
        for part in [user, parts.password, path] where part?.utf8.contains(where: { $0 < 32 }) == true {
            throw InvalidText("the URL has control characters")
        }
    }
}

extension RabbitMQServer {
    /// Reads `amqp://user:password@host:port/vhost` (RabbitMQ's URI specification; as for Celery, no vhost is `/`).
    init(url text: String, tlsAuthorities: String?) throws(InvalidText) {
        let url = try ServerURL(text, schemes: ["amqp", "amqps"])
        let tls = url.scheme == "amqps"
        let virtualHost = String(url.path.dropFirst())
        self.init(
            endpoint: .tcp(host: url.host.text, port: url.port ?? (tls ? 5671 : 5672)), user: url.user ?? "guest",
            password: url.password ?? Secret(url.user == nil ? "guest" : ""),
            virtualHost: virtualHost.isEmpty ? "/" : virtualHost, tls: tls, tlsAuthorities: tlsAuthorities)
    }
}

extension RedisServer {
    /// Reads `redis://user:password@host:port/database`.
    init(url text: String, tlsAuthorities: String?) throws(InvalidText) {
        let url = try ServerURL(text, schemes: ["redis", "rediss"])
        let number = url.path.dropFirst()
        guard let database = number.isEmpty ? 0 : Int(number), (0...1_000_000).contains(database) else {
            throw InvalidText("the URL's path is no database number")
        }
        self.init(
            endpoint: .tcp(host: url.host.text, port: url.port ?? 6379), user: url.user, password: url.password,
            database: database, tls: url.scheme == "rediss", tlsAuthorities: tlsAuthorities)
    }
}

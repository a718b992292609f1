import FailoverCore
import FoundationEssentials

/// The parts of a URL that names a server and a login. No message repeats any part: the URL may contain a password.
struct ServerURL {
    let scheme: String
    let user: String?
    let password: Secret?
    let host: HostName
    let port: UInt16?
    /// The decoded path of the URL: empty, or with a leading slash.
    let path: String

    /// - Parameter schemes: the accepted schemes, for example `amqp`.
    init(_ text: String, schemes: [String]) throws(InvalidText) {
        let expectation = "expected a URL that starts with \(schemes.map { "\($0)://" }.joined(separator: " or "))"
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            schemes.contains(scheme)
        else {
            throw InvalidText("\(expectation); percent-encode special characters in it")
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
    /// Reads `amqp://user:password@host:port/vhost`, see RabbitMQ's URI specification. Without a vhost it is `/`, as in
    /// Celery.
    init(url text: String) throws(InvalidText) {
        let url = try ServerURL(text, schemes: ["amqp", "amqps"])
        let tls = url.scheme == "amqps"
        let virtualHost = String(url.path.dropFirst())
        self.init(
            endpoint: .tcp(host: url.host.text, port: url.port ?? (tls ? 5671 : 5672)), user: url.user ?? "guest",
            password: url.password ?? Secret(url.user == nil ? "guest" : ""),
            virtualHost: virtualHost.isEmpty ? "/" : virtualHost, tls: tls)
    }
}

extension RedisServer {
    /// Reads `redis://user:password@host:port/database`.
    init(url text: String) throws(InvalidText) {
        let url = try ServerURL(text, schemes: ["redis", "rediss"])
        let number = url.path.dropFirst()
        guard let database = number.isEmpty ? 0 : Int(number), (0...1_000_000).contains(database) else {
            throw InvalidText("the URL's path is not a database number")
        }
        self.init(
            endpoint: .tcp(host: url.host.text, port: url.port ?? 6379), user: url.user, password: url.password,
            database: database, tls: url.scheme == "rediss")
    }
}

/// Checks a webhook's URL. No message repeats any part of it: the URL is often a secret.
enum WebhookURL {
    static func check(_ text: String) throws(InvalidText) {
        let isClean = text.utf8.allSatisfy { $0 > 32 && $0 < 127 }
        guard isClean, let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), parts.host?.isEmpty == false
        else {
            throw InvalidText("expected a URL that starts with https:// or http://, in ASCII, without spaces")
        }
    }
}

extension RabbitMQServer {
    /// The URL with the password hidden.
    var hiddenURL: String {
        "\(tls ? "amqps" : "amqp")://\(user.percentEncoded):(hidden)@\(endpoint)/\(virtualHost.percentEncoded)"
    }
}

extension RedisServer {
    /// The URL with the password hidden.
    var hiddenURL: String {
        let login =
            user == nil && password == nil ? "" : "\(user?.percentEncoded ?? "")\(password == nil ? "" : ":(hidden)")@"
        return "\(tls ? "rediss" : "redis")://\(login)\(endpoint)/\(database)"
    }
}

extension String {
    /// The text with every byte as `%XX`, except the unreserved characters of RFC 3986.
    fileprivate var percentEncoded: String {
        utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            if byte < 128, character.isLetter || character.isNumber || "-._~".contains(character) {
                return String(character)
            }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}

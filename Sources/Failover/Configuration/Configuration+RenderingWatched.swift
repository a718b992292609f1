import FailoverCore
import FailoverNotify

extension WatchedServer {
    /// The `type` and the keys that belong to it.
    func write(to text: inout YAMLWriter) {
        text.key("type", typeName)
        switch self {
        case .tcp(let endpoint):
            endpoint.write(to: &text)
        case .memcached(let servers):
            text.key("servers", servers.map(\.description))
        case .rabbitmq(let server):
            text.key("url", server.hiddenURL)
            if let path = server.tlsAuthorities { text.key("tls_ca", path) }
        case .redis(let server):
            text.key("url", server.hiddenURL)
            if let path = server.tlsAuthorities { text.key("tls_ca", path) }
        case .command(let commands):
            text.key("ping", commands.ping)
            if let failover = commands.failover { text.key("failover", failover) }
            if let recover = commands.recover { text.key("recover", recover) }
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
    /// With every byte but RFC 3986's unreserved ones as `%XX`.
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

extension NotifierConfiguration {
    /// Every key of the notifier; a webhook's URL is hidden.
    func write(to text: inout YAMLWriter) {
        switch kind {
        case .webhook(let url, let format, let authorities):
            text.key("type", "webhook")
            text.key("url", "\(url.origin)/\(url)")
            text.key("format", format.rawValue)
            if let authorities { text.key("tls_ca", authorities) }
        case .command(let words):
            text.key("type", "command")
            text.key("run", words)
        case .mail(let to, let from, let sendmail):
            text.key("type", "mail")
            text.key("to", to)
            text.key("from", from)
            text.key("sendmail", sendmail)
        }
        if let services { text.key("services", services.sorted()) }
        text.key("events", FailoverEvent.Kind.Name.allCases.filter(events.contains).map(\.rawValue))
        text.key("timeout", timeout)
    }
}

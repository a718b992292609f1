import FailoverConfiguration
import FailoverCore

extension Configuration {
    /// The configuration as it reads back after rendering.
    var withSecretsHidden: Configuration {
        var configuration = self
        for index in databases.indices where databases[index].server.password != nil {
            configuration.databases[index].server.password = Secret("(hidden)")
            configuration.databases[index].server.passwordFile = nil
        }
        if admin?.token != nil { configuration.admin?.token = Secret("(hidden)") }
        for index in services.indices {
            guard case .watched(let server, let settings) = services[index].kind else { continue }
            configuration.services[index].kind = .watched(server.withSecretsHidden, settings)
        }
        for index in notifiers.indices {
            guard case .webhook(let url, let format, let authorities) = notifiers[index].kind else { continue }
            let host = url.reveal().split(separator: "/").prefix(2).joined(separator: "//")
            configuration.notifiers[index].kind = .webhook(
                url: Secret("\(host)/(hidden)"), format: format, tlsAuthorities: authorities)
        }
        return configuration
    }
}

extension WatchedServer {
    fileprivate var withSecretsHidden: WatchedServer {
        switch self {
        case .rabbitmq(var server):
            server.password = Secret("(hidden)")
            return .rabbitmq(server)
        case .redis(var server):
            if server.password != nil { server.password = Secret("(hidden)") }
            return .redis(server)
        case .tcp, .memcached, .command: return self
        }
    }
}

import FailoverCore

extension ServiceConfiguration {
    /// The service that pings what is no route; `nil` for a route.
    func watched(_ checks: CheckFactory) -> (any FailoverCore.Service)? {
        guard case .watched(let server, let settings) = kind else { return nil }
        return server.service(name: name, settings: settings, environment: failoverSettings, checks: checks)
    }
}

extension WatchedServer {
    /// The service that pings it.
    func service(
        name: String, settings: MonitorSettings, environment: [String: String], checks: CheckFactory
    ) -> any FailoverCore.Service {
        switch self {
        case .tcp(let endpoint): TCPService(name: name, endpoint: endpoint, settings: settings, checks: checks)
        case .memcached(let servers):
            MemcachedService(name: name, servers: servers, settings: settings, checks: checks)
        case .command(let commands):
            CommandService(
                name: name, commands: commands, environment: environment, settings: settings, checks: checks)
        case .redis(let server): RedisService(name: name, server: server, settings: settings, checks: checks)
        case .rabbitmq(let server):
            RabbitMQService(name: name, server: server, settings: settings, checks: checks)
        }
    }

    /// The `type` of the configuration.
    var typeName: String {
        switch self {
        case .tcp: "tcp"
        case .memcached: "memcached"
        case .rabbitmq: "rabbitmq"
        case .redis: "redis"
        case .command: "command"
        }
    }

    /// Where it is, for people.
    var location: String {
        switch self {
        case .tcp(let endpoint): endpoint.description
        case .memcached(let servers): servers.map(\.description).joined(separator: ", ")
        case .rabbitmq(let server): server.endpoint.description
        case .redis(let server): server.endpoint.description
        case .command(let commands): commands.ping.first ?? ""
        }
    }
}

import FailoverCore

extension ServiceConfiguration {
    /// The service that pings what is no route; `nil` for a route.
    ///
    /// - Throws: ``UnavailableServiceType``.
    func watched(_ checks: CheckFactory) throws(UnavailableServiceType) -> (any FailoverCore.Service)? {
        guard case .watched(let server, let settings) = kind else { return nil }
        let service = server.service(name: name, settings: settings, environment: failoverSettings, checks: checks)
        guard let service else { throw UnavailableServiceType(service: name, type: server.typeName) }
        return service
    }
}

/// This version has no driver for a service's type.
public struct UnavailableServiceType: Error, Hashable, Sendable, CustomStringConvertible {
    public let service: String
    public let type: String
    public var description: String { "services.\(service): type \(type) is not available in this version" }
}

extension WatchedServer {
    /// The service that pings it; `nil` for a type whose driver this version lacks.
    func service(
        name: String, settings: MonitorSettings, environment: [String: String], checks: CheckFactory
    ) -> (any FailoverCore.Service)? {
        switch self {
        case .tcp(let endpoint): TCPService(name: name, endpoint: endpoint, settings: settings, checks: checks)
        case .memcached(let servers):
            MemcachedService(name: name, servers: servers, settings: settings, checks: checks)
        case .command(let commands):
            CommandService(
                name: name, commands: commands, environment: environment, settings: settings, checks: checks)
        case .redis(let server): RedisService(name: name, server: server, settings: settings, checks: checks)
        case .rabbitmq: nil
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

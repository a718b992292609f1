/// The `type` of a service.
enum ServiceType: String, CaseIterable {
    case database, tcp, memcached, rabbitmq, redis, command

    /// The keys that a service of the type may have.
    var vocabulary: Vocabulary {
        switch self {
        case .database: .databaseService
        case .tcp: .tcpService
        case .memcached: .memcachedService
        case .rabbitmq: .rabbitmqService
        case .redis: .redisService
        case .command: .commandService
        }
    }
}

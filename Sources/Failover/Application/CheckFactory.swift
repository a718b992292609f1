import FailoverChecks
import FailoverCore
import FailoverSystem

/// Makes the checks of a process, which share one resolver and one set of threads.
struct CheckFactory: Sendable {
    /// For services that are made one by one.
    static let shared = CheckFactory()

    let resolver: NameResolver
    let threads = BlockingThreads()

    init() { resolver = NameResolver(threads: threads) }

    /// The check of a database server.
    ///
    /// - Parameter place: where replicas and their primaries compare positions.
    func check(of server: DatabaseServer, at place: PrimaryPositions.Place? = nil) -> ServerCheck {
        ServerCheck(server: server, place: place, resolver: resolver, threads: threads)
    }

    /// The check of a Redis server.
    func check(of server: RedisServer) -> ServerCheck {
        ServerCheck(server: server, resolver: resolver, threads: threads)
    }

    /// The check of a RabbitMQ server.
    func check(of server: RabbitMQServer) -> ServerCheck {
        ServerCheck(server: server, resolver: resolver, threads: threads)
    }

    /// The check of a port that is only connected to.
    func check(of endpoint: Endpoint) -> ServerCheck {
        ServerCheck(endpoint: endpoint, resolver: resolver, threads: threads)
    }
}

package import FailoverCore
package import FailoverSystem

/// Makes the checks of a process, which share one resolver and one set of threads.
package struct CheckFactory: Sendable {
    /// For services that are made one by one.
    package static let shared = CheckFactory()

    package let resolver: NameResolver
    package let threads = BlockingThreads()

    package init() { resolver = NameResolver(threads: threads) }

    /// The check of a database server.
    package func check(of server: DatabaseServer) -> ServerCheck {
        ServerCheck(server: server, resolver: resolver, threads: threads)
    }

    /// The check of a Redis server.
    package func check(of server: RedisServer) -> ServerCheck {
        ServerCheck(server: server, resolver: resolver, threads: threads)
    }

    /// The check of a RabbitMQ server.
    package func check(of server: RabbitMQServer) -> ServerCheck {
        ServerCheck(server: server, resolver: resolver, threads: threads)
    }

    /// The check of a port that is only connected to.
    package func check(of endpoint: Endpoint) -> ServerCheck {
        ServerCheck(endpoint: endpoint, resolver: resolver, threads: threads)
    }
}

package import FailoverCore
package import FailoverSystem

/// Creates the checks of a process. They share one resolver and one thread pool.
package struct CheckFactory: Sendable {
    /// The factory that services share if a program creates them one by one.
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

    /// The check of a port, which only connects.
    package func check(of endpoint: Endpoint) -> ServerCheck {
        ServerCheck(endpoint: endpoint, resolver: resolver, threads: threads)
    }
}

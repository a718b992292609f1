import FailoverCore
import FailoverSystem
import FailoverTesting

/// The Memcached, Redis and RabbitMQ servers of `scripts/lab up --services`.
extension Laboratory {
    /// Whether these servers are running.
    static var hasServices: Bool { isOpen && variable("LAB_RABBITMQ_PORT") != nil }

    /// The endpoint of a server, by the name of its variable: `LAB_REDIS_PRIMARY_PORT`.
    static func endpoint(_ name: String, host: String = "127.0.0.1") -> Endpoint {
        .tcp(host: host, port: variable("LAB_\(name)_PORT").flatMap { UInt16($0) } ?? 0)
    }

    static func redis(
        _ name: String = "REDIS_PRIMARY", host: String = "127.0.0.1", user: String? = "monitor",
        password: Secret? = password, database: Int = 0, tls: Bool = false, tlsAuthorities: String? = authorities
    ) -> RedisServer {
        RedisServer(
            endpoint: endpoint(tls ? "\(name)_TLS" : name, host: host), user: user, password: password,
            database: database, tls: tls, tlsAuthorities: tlsAuthorities)
    }

    static func rabbitMQ(
        host: String = "127.0.0.1", user: String = "monitor", password: Secret = password, virtualHost: String = "app",
        tls: Bool = false, tlsAuthorities: String? = authorities
    ) -> RabbitMQServer {
        RabbitMQServer(
            endpoint: endpoint(tls ? "RABBITMQ_TLS" : "RABBITMQ", host: host), user: user, password: password,
            virtualHost: virtualHost, tls: tls, tlsAuthorities: tlsAuthorities)
    }

    /// Plays a fault of `scripts/lab fault` on a server.
    static func fault(_ fault: String, on server: String, threads: BlockingThreads) async throws {
        let script = variable("LAB_SCRIPT") ?? "scripts/lab"
        try await threads.run { () throws(PingFailure) in
            // The child process inherits none of the tests' sockets, and neither does the server that it starts.
            let command = Command([script, "fault", server, fault])
            guard let result = try? ChildProcess.run(command, until: Deadline(.ample)), result.succeeded else {
                throw PingFailure(.command, "\(script) fault \(server) \(fault) failed")
            }
        }
    }
}

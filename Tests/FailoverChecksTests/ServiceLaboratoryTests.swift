import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverChecks

@Suite("Ping of real services", .serialized, .enabled(if: Laboratory.hasServices), .sharedServers)
struct ServiceLaboratoryTests {
    let bench = CheckBench()

    func outcome(_ server: RedisServer, limit: Duration = .ample) async -> PingFailure? {
        let check = ServerCheck(server: server, resolver: bench.resolver, threads: bench.threads)
        return await bench.outcome { () throws(PingFailure) in try await check.ping(limit: limit) }
    }

    func outcome(_ server: RabbitMQServer, limit: Duration = .ample) async -> PingFailure? {
        let check = ServerCheck(server: server, resolver: bench.resolver, threads: bench.threads)
        return await bench.outcome { () throws(PingFailure) in try await check.ping(limit: limit) }
    }

    func outcomeOfPool(_ names: [String], limit: Duration = .ample) async -> PingFailure? {
        let check = MemcachedCheck(
            servers: names.map { Laboratory.endpoint($0) }, resolver: bench.resolver, threads: bench.threads)
        return await bench.outcome { () throws(PingFailure) in try await check.ping(limit: limit) }
    }

    /// Runs `body` while a server has a fault, and waits until it is healthy again.
    func during(_ fault: String, _ server: String, _ body: () async -> Void) async throws {
        try await Laboratory.fault(fault, on: server, threads: bench.threads)
        await body()
        try await Laboratory.fault("start", on: server, threads: bench.threads)
    }

    // MARK: Memcached

    @Test func poolIsUp() async {
        #expect(await outcomeOfPool(["MEMCACHED_1", "MEMCACHED_2"]) == nil)
    }

    @Test(arguments: [("kill", "refused"), ("stop", "timeout (running the query)")])
    func deadServerOfAPoolIsNamed(fault: String, message: String) async throws {
        let dead = Laboratory.endpoint("MEMCACHED_2").description
        try await during(fault, "memcached-2") {
            let expected = PingFailure(.serversDown([dead]), "1 of 2 servers down: \(dead) (\(message))")
            let failure = await patiently {
                $0 == expected
            } _: { limit in
                await outcomeOfPool(["MEMCACHED_1", "MEMCACHED_2"], limit: limit)
            }
            #expect(failure == expected)
        }
        #expect(await outcomeOfPool(["MEMCACHED_1", "MEMCACHED_2"]) == nil)
    }

    // MARK: Redis

    @Test(arguments: ["REDIS_PRIMARY", "REDIS_REPLICA"])
    func eachUserMayPing(name: String) async {
        #expect(await outcome(Laboratory.redis(name)) == nil)
        #expect(await outcome(Laboratory.redis(name, user: nil, password: Secret("redis-secret"))) == nil)
        #expect(await outcome(Laboratory.redis(name, user: "monitor_ping")) == nil)
        #expect(await outcome(Laboratory.redis(name, database: 15)) == nil)
    }

    @Test(arguments: [
        (Laboratory.redis(password: Secret("hunter2")), "WRONGPASS"),
        (Laboratory.redis(user: nil, password: Secret("hunter2")), "WRONGPASS"),
        (Laboratory.redis(user: nil, password: nil), "NOAUTH"), (Laboratory.redis(database: 99), "ERR DB index"),
        (Laboratory.redis(user: "monitor_ping", database: 1), "NOPERM"),
    ])
    func wrongRedisLoginIsAuthentication(server: RedisServer, message: String) async {
        let failure = await outcome(server)
        #expect(failure?.reason == .authentication)
        #expect(failure?.detail.hasPrefix("\(server.endpoint): \(message)") == true, "\(String(describing: failure))")
    }

    @Test func deadRedisIsDown() async throws {
        let replica = Laboratory.redis("REDIS_REPLICA")
        try await during("kill", "redis-replica") { #expect(await outcome(replica)?.reason == .refused) }
        try await during("stop", "redis-replica") {
            let failure = await Misbehaviour.silence.failure(at: .login) { await outcome(replica, limit: $0) }
            #expect(failure?.reason == .timeout(.login))
        }
        #expect(await outcome(replica) == nil)
    }

    @Test(arguments: ["kill", "stop"])
    func replicaWithoutItsPrimaryIsCutOff(fault: String) async throws {
        let replica = Laboratory.redis("REDIS_REPLICA")
        try await during(fault, "redis-primary") {
            #expect(await eventually { await outcome(replica)?.reason == .cutOff })
            let primary = Laboratory.endpoint("REDIS_PRIMARY")
            #expect(await outcome(replica)?.detail == "\(replica.endpoint): has lost its primary \(primary)")
        }
        #expect(await eventually { await outcome(replica) == nil })
    }

    // MARK: RabbitMQ

    @Test func brokerIsUp() async {
        #expect(await outcome(Laboratory.rabbitMQ()) == nil)
    }

    @Test(arguments: [
        (Laboratory.rabbitMQ(password: Secret("hunter2")), "403: ACCESS_REFUSED - Login was refused"),
        (Laboratory.rabbitMQ(user: "nobody"), "403: ACCESS_REFUSED - Login was refused"),
        (Laboratory.rabbitMQ(virtualHost: "/"), "530: NOT_ALLOWED - vhost / not found"),
    ])
    func wrongBrokerLoginIsAuthentication(server: RabbitMQServer, message: String) async {
        let failure = await outcome(server)
        #expect(failure?.reason == .authentication)
        #expect(failure?.detail.hasPrefix("\(server.endpoint): \(message)") == true, "\(String(describing: failure))")
    }

    @Test func deadBrokerIsDown() async throws {
        let server = Laboratory.rabbitMQ()
        try await during("kill", "rabbitmq") {
            let failure = await outcome(server)
            #expect(failure?.reason == .refused, "\(String(describing: failure))")
        }
        try await during("stop", "rabbitmq") {
            let failure = await Misbehaviour.silence.failure(at: .login) { await outcome(server, limit: $0) }
            #expect(failure?.reason == .timeout(.login))
        }
        #expect(await eventually { await outcome(server) == nil })
    }

    // MARK: TLS

    @Test(arguments: ["localhost", "127.0.0.1"])
    func certificateOfTheAuthorityIsTrusted(host: String) async {
        #expect(await outcome(Laboratory.redis(host: host, tls: true)) == nil)
        #expect(await outcome(Laboratory.rabbitMQ(host: host, tls: true)) == nil)
    }

    @Test func certificateOfAnotherAuthorityIsTLS() async {
        // The system's authorities do not include the laboratory's.
        for failure in [
            await outcome(Laboratory.redis(tls: true, tlsAuthorities: nil)),
            await outcome(Laboratory.rabbitMQ(tls: true, tlsAuthorities: nil)),
        ] {
            #expect(failure?.reason == .tls)
            #expect(failure?.detail.contains("certificate not accepted: ") == true, "\(String(describing: failure))")
        }
    }

    @Test(arguments: ["db.example", "127.1"])
    func certificateForAnotherNameIsTLS(host: String) async {
        let resolver = NameResolver(threads: bench.threads) { _ throws(PingFailure) in
            AddressList(literals: ["127.0.0.1"])
        }
        let check = ServerCheck(
            server: Laboratory.rabbitMQ(host: host, tls: true), resolver: resolver, threads: bench.threads)
        let failure = await bench.outcome { () throws(PingFailure) in try await check.ping(limit: .ample) }
        #expect(failure?.reason == .tls)
        #expect(failure?.detail.hasSuffix("hostname mismatch") == true, "\(String(describing: failure))")
    }

    @Test func missingAuthoritiesAreLocal() async {
        #expect(await outcome(Laboratory.redis(tls: true, tlsAuthorities: "/nonexistent.pem"))?.reason == .local)
    }

    @Test func portOfTheOtherKindIsNoAMQP() async {
        var server = Laboratory.rabbitMQ(tls: true)
        server.endpoint = Laboratory.endpoint("RABBITMQ")
        #expect(await outcome(server)?.reason == .tls)
        server.tls = false
        server.endpoint = Laboratory.endpoint("RABBITMQ_TLS")
        #expect(await outcome(server)?.reason == .protocolViolation)
    }
}

import FailoverCore
import FailoverTesting
import Synchronization
import Testing

@testable import Failover

@Suite("Many services", .timeLimit(.minutes(5)))
struct ManyServicesTests {
    /// Counts the completed pings of another service.
    private final class Counted: TimedService {
        let base: any TimedService
        private let ended = Atomic<Int>(0)

        init(_ base: any TimedService) { self.base = base }

        var name: String { base.name }
        var settings: MonitorSettings { base.settings }
        var pings: Int { ended.load(ordering: .relaxed) }

        func ping(limit: Duration) async throws {
            defer { ended.add(1, ordering: .relaxed) }
            try await base.ping(limit: limit)
        }
    }

    /// A ping each 10 ms, with a limit that no test reaches.
    private let settings = MonitorSettings(
        frequencies: PingFrequencies(monitoringInterval: .milliseconds(10)), pingTimeout: .seconds(3600))

    private func hanging(_ number: Int, at endpoint: Endpoint) -> any TimedService {
        switch number % 5 {
        case 0:
            DatabaseService(
                name: "h\(number)", server: DatabaseServer(engine: .postgres, endpoint: endpoint, user: "monitor"),
                settings: settings)
        case 1:
            DatabaseService(
                name: "h\(number)", server: DatabaseServer(engine: .mysql, endpoint: endpoint, user: "monitor"),
                settings: settings)
        case 2: MemcachedService(name: "h\(number)", servers: [endpoint], settings: settings)
        case 3: RedisService(name: "h\(number)", server: RedisServer(endpoint: endpoint), settings: settings)
        default:
            RabbitMQService(
                name: "h\(number)",
                server: RabbitMQServer(endpoint: endpoint, user: "monitor", password: Secret("x"), virtualHost: "/"),
                settings: settings)
        }
    }

    @Test func fiftyThatHangKeepTheOtherHundredAndFiftyFromNothing() async throws {
        let silent = FaultyServer { $0.holdOpen() }
        let memcached = FaultyServer { client in
            while !client.receive().isEmpty { client.send(Array("VERSION 1.6\r\n".utf8)) }
        }
        let monitor = ServiceMonitor(log: CapturedLog().logger)
        let hanging = (0..<50).map { Counted(self.hanging($0, at: .tcp(host: "127.0.0.1", port: silent.port))) }
        let well = (0..<150).map { number in
            Counted(
                MemcachedService(
                    name: "w\(number)", servers: [.tcp(host: "127.0.0.1", port: memcached.port)], settings: settings))
        }
        for service in hanging + well { try monitor.register(service) }
        let running = Task { await monitor.run() }
        #expect(await eventually { silent.connections >= 50 })
        let before = well.map(\.pings)
        #expect(await eventually { zip(well, before).allSatisfy { $0.pings >= $1 + 10 } })
        #expect(hanging.allSatisfy { $0.pings == 0 })
        #expect(monitor.statuses.allSatisfy { $0.status.isUp })
        silent.stop()
        running.cancel()
        await running.value
    }
}

import FailoverCore
import FailoverProxy
import FailoverTesting
import Logging
import Testing

@testable import Failover

/// The features of the older library, as the library has them; IntegrationTests cover the executable. There is one
/// test for each row of that table in the design.
@Suite("Coming from django-failover", .timeLimit(.minutes(5)))
struct ComingFromDjangoFailoverTests {
    private let clock = ManualClock()
    private let log = CapturedLog()
    private let monitor: ServiceMonitor
    private struct Trouble: Error {}

    init() { monitor = Self.monitor(clock, log) }

    private static func monitor(_ clock: ManualClock, _ log: CapturedLog) -> ServiceMonitor {
        ServiceMonitor(
            environment: .manual(clock, log: log),
            triggers: ErrorTriggers().adding(Trouble.self))
    }

    @Test func aServiceHasPingFailoverRecoverAndCleanup() async throws {
        let cache = CountedService("cache")
        try monitor.register(cache)
        cache.setUp(false)
        await monitor.monitor()
        cache.setUp(true)
        clock.advance(by: .seconds(30))
        await monitor.monitor()
        await monitor.cleanup()
        #expect(cache.calls == ["ping", "failover", "ping", "recover", "cleanup"])
    }

    @Test func registerWatchesAService() async throws {
        let services = [CountedService("cache"), CountedService("search")]
        for service in services { try monitor.register(service) }
        await monitor.monitor()
        #expect(services.map(\.pings) == [1, 1])
        #expect(monitor.statuses.map(\.name) == ["cache", "search"])
    }

    @Test(arguments: [DatabaseServer.Engine.postgres, .mysql])
    func aPingMayTakeTenSecondsWhileUpAndOneWhileDownForBothEngines(_ engine: DatabaseServer.Engine) async throws {
        #expect(MonitorSettings().pingTimeout == .seconds(10))
        #expect(MonitorSettings().outagePingTimeout == .seconds(1))
        let silent = FaultyServer { $0.holdOpen() }
        /// Whether the two pings report their limits. The first one finds an outage.
        func told(_ limit: Duration) async throws -> [Bool] {
            var settings = MonitorSettings(
                frequencies: PingFrequencies(monitoringInterval: .zero, outageInterval: .zero),
                pingTimeout: limit, outagePingTimeout: limit / 2)
            settings.fall = 1
            // The manual environment does not excuse the timeout when the process stands still on a busy machine.
            let monitor = ServiceMonitor(
                environment: .manual(log: log))
            try monitor.register(
                DatabaseService(
                    name: "slave",
                    server: DatabaseServer(
                        engine: engine, endpoint: .tcp(host: "127.0.0.1", port: silent.port), user: "monitor"),
                    settings: settings))
            var told: [Bool] = []
            for limit in [limit, limit / 2] {
                await monitor.monitor()
                guard case .down(let failure, _) = monitor.status(of: "slave")?.verdict else { break }
                told.append(failure.detail.replacing(" ", with: "").hasSuffix("within\(limit.inWords)"))
            }
            return told
        }
        // On a busy machine the first ping may not have returned before the second, which then reports that.
        #expect(try await patiently(.milliseconds(80), until: { $0 == [true, true] }, told) == [true, true])
        silent.stop()
    }

    @Test func theMiddlewareMonitorsBeforeEachRequestNowOnEachNewSession() async throws {
        let replica = CountedService("slave")
        let monitored = MonitoredService(
            service: replica,
            environment: .manual(clock, log: log), onEvent: { _ in })
        let observer = RouteObserver(
            monitors: [monitored], aliases: [[0]], triggers: [[]], ask: { $0.answer(.untold) },
            clock: MonotonicClock(clock), log: log.logger)
        observer.sessionArrived(route: 0)
        #expect(await eventually { replica.pings == 1 && !monitored.status.isPinging })
        observer.sessionArrived(route: 0)
        clock.advance(by: .seconds(120))
        observer.sessionArrived(route: 0)
        // The second arrival came too early. If it had caused a ping, there would be three.
        #expect(await eventually { replica.pings == 2 && !monitored.status.isPinging })
        await monitored.stop()
        #expect(replica.pings == 2)
    }

    @Test func failoverHandlerMonitorsWhenALoggedErrorIsOfAListedType() async throws {
        let cache = CountedService("cache")
        try monitor.register(cache)
        let logger = Logger(label: "application") { _ in
            FailoverLogHandler(log.logger.handler, monitor: monitor)
        }
        logger.error("of no listed type", error: CancellationError())
        logger.error("query failed", error: Trouble())
        #expect(await eventually { cache.pings == 1 })
    }

    @Test func theMonitorDecoratorIsMonitoringAroundAClosure() async throws {
        let cache = CountedService("cache")
        try monitor.register(cache)
        cache.setUp(false)
        let isUp = await monitor.monitoring { monitor.status(of: "cache")?.isUp }
        #expect(isUp == false)
    }

    @Test func recoverFromOutagesPingsWhatIsDownFirst() async throws {
        let (cache, search) = (CountedService("cache"), CountedService("search"))
        for service in [cache, search] { try monitor.register(service) }
        cache.setUp(false)
        await monitor.monitor()
        cache.setUp(true)
        clock.advance(by: .seconds(1000))
        let isUp = await monitor.recoveringFromOutages { monitor.status(of: "cache")?.isUp }
        #expect(isUp == true)
        #expect(search.pings == 1)
    }

    @Test func criticalOnOutageInfoOnRecoveryAndAgainEachHour() async throws {
        let cache = CountedService("cache")
        try monitor.register(cache)
        cache.setUp(false)
        await monitor.monitor()
        clock.advance(by: .seconds(3600))
        await monitor.monitor()
        cache.setUp(true)
        clock.advance(by: .seconds(30))
        await monitor.monitor()
        let outage = "critical cache outage. Failover initiated. (Process ID: 7)"
        #expect(log.lines == [outage, outage, "info cache is back up. Recovery complete. (Process ID: 7)"])
    }

    @Test func eachMonitorDecidesForItself() async throws {
        let other = Self.monitor(clock, CapturedLog())
        let (mine, its) = (CountedService("cache"), CountedService("cache"))
        try monitor.register(mine)
        try other.register(its)
        mine.setUp(false)
        await monitor.monitor()
        await other.monitor()
        #expect(monitor.status(of: "cache")?.isUp == false)
        #expect(other.status(of: "cache")?.isUp == true)
    }
}

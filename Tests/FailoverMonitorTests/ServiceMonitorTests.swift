import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverMonitor

@Suite("The library's monitor", .timeLimit(.minutes(5)))
struct ServiceMonitorTests {
    private let clock = ManualClock()
    private let log = CapturedLog()
    private let monitor: ServiceMonitor
    private struct Trouble: Error {}

    init() {
        monitor = ServiceMonitor(
            environment: .manual(clock, log: log),
            triggers: ErrorTriggers().adding(Trouble.self))
    }

    private struct OnlyPing: Service {
        func ping() async throws {}
    }

    @Test func aServiceNeedsNoMoreThanAPing() throws {
        #expect(OnlyPing().name == "OnlyPing")
        #expect(OnlyPing().settings == MonitorSettings())
        try monitor.register(OnlyPing())
        #expect(monitor.status(of: "OnlyPing")?.isUp == true)
    }

    @Test func twoServicesOfOneNameAreRefused() throws {
        try monitor.register(CountedService("cache"))
        #expect(throws: DuplicateServiceName(name: "cache")) { try monitor.register(CountedService("cache")) }
    }

    @Test func nothingIsPingedUntilSomebodyAsks() async throws {
        let cache = CountedService("cache")
        try monitor.register(cache)
        clock.advance(by: .seconds(1000))
        #expect(cache.calls == [])
        await monitor.monitor()
        #expect(cache.calls == ["ping"])
    }

    @Test func failoverHasHappenedWhenMonitorReturns() async throws {
        let cache = CountedService("cache")
        try monitor.register(cache)
        cache.setUp(false)
        await monitor.monitor()
        #expect(cache.calls == ["ping", "failover"])
        #expect(log.lines == ["critical cache outage. Failover initiated. (Process ID: 7)"])
        #expect(monitor.status(of: "cache")?.isUp == false)

        cache.setUp(true)
        clock.advance(by: .seconds(30))
        await monitor.monitor()
        #expect(cache.calls == ["ping", "failover", "ping", "recover"])
    }

    @Test func aPingComesNoSoonerThanItsFrequencyAllows() async throws {
        let cache = CountedService("cache")
        try monitor.register(cache)
        await monitor.monitor()
        clock.advance(by: .seconds(119))
        await monitor.monitor()
        #expect(cache.pings == 1)
        clock.advance(by: .seconds(1))
        await monitor.monitor()
        #expect(cache.pings == 2)
    }

    @Test func outagesOnlyLeavesAloneWhatIsUp() async throws {
        let (up, down) = (CountedService("up"), CountedService("down"))
        try monitor.register(up)
        try monitor.register(down)
        down.setUp(false)
        await monitor.monitor()
        clock.advance(by: .seconds(1000))
        await monitor.monitor(outagesOnly: true)
        #expect((up.pings, down.pings) == (1, 2))
        await monitor.recoveringFromOutages {}
        #expect((up.pings, down.pings) == (1, 2))
        clock.advance(by: .seconds(30))
        await monitor.recoveringFromOutages {}
        #expect((up.pings, down.pings) == (1, 3))
    }

    @Test func anErrorAsksForAPingAtItsOwnFrequency() async throws {
        let cache = CountedService("cache")
        try monitor.register(cache)
        await monitor.monitor()
        clock.advance(by: .seconds(4))
        await monitor.monitor(error: Trouble())
        #expect(cache.pings == 1)
        clock.advance(by: .seconds(1))
        await monitor.monitor(error: Trouble())
        #expect(cache.pings == 2)
    }

    @Test func aListedErrorInsideMonitoringAsksForAPing() async throws {
        struct Unlisted: Error {}
        let cache = CountedService("cache")
        try monitor.register(cache)
        #expect(await monitor.monitoring { 42 } == 42)
        #expect(cache.pings == 1)
        await #expect(throws: Unlisted.self) {
            try await monitor.monitoring { () throws(Unlisted) in
                clock.advance(by: .seconds(10))
                throw Unlisted()
            }
        }
        #expect(cache.pings == 1)
        await #expect(throws: Trouble.self) { try await monitor.monitoring { throw Trouble() } }
        #expect(cache.pings == 2)
    }

    @Test func oneTaskPingsAndTheOthersGoOn() async throws {
        let cache = CountedService("cache")
        try monitor.register(cache)
        cache.hold()
        let first = Task { await monitor.monitor() }
        #expect(await eventually { cache.pings == 1 })
        await withDiscardingTaskGroup { group in
            for _ in 0..<1000 { group.addTask { await monitor.monitor() } }
        }
        #expect(cache.pings == 1)
        cache.letGo()
        await first.value
    }

    @Test func aCallerWaitsNoLongerThanThePingsLimit() async throws {
        let cache = CountedService("cache")
        try monitor.register(cache)
        cache.hold()
        let caller = Task { await monitor.monitor() }
        #expect(await eventually { clock.wakes.contains(.milliseconds(10_250)) })
        clock.advance(by: .milliseconds(10_250))
        await caller.value
        #expect(monitor.status(of: "cache")?.isUp == false)
        cache.letGo()
    }

    @Test func runPingsByTheClockAndCleansUpAtTheEnd() async throws {
        let cache = CountedService("cache")
        let running = Task { await monitor.run() }
        try monitor.register(cache)
        #expect(await eventually { cache.pings == 1 && clock.wakes.contains(.seconds(120)) })
        clock.advance(by: .seconds(120))
        #expect(await eventually { cache.pings == 2 })
        running.cancel()
        await running.value
        #expect(cache.calls.last == "cleanup")
        #expect(cache.calls.count { $0 == "cleanup" } == 1)
        clock.advance(by: .seconds(120))
        await monitor.monitor()
        #expect(cache.pings == 2)
    }
}

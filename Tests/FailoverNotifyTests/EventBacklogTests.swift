import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverNotify

@Suite("Events that wait for a notifier")
struct EventBacklogTests {
    private func drain(_ backlog: inout EventBacklog) -> [FailoverEvent] {
        var events: [FailoverEvent] = []
        while let event = backlog.next() { events.append(event) }
        return events
    }

    @Test func theyComeOutAsTheyCameIn() {
        var backlog = EventBacklog()
        let events = [Events.outage(second: 1), Events.reminder(second: 2), Events.outage("cache"), Events.recovery()]
        #expect(events.map { backlog.add($0) } == [0, 0, 0, 0])
        #expect(backlog.count == 4)
        #expect(drain(&backlog) == events)
        #expect(backlog.count == 0)
    }

    @Test func tooManyAreCoalescedToTheLastPairOfEachService() {
        var backlog = EventBacklog()
        var lost = 0
        for second in 0..<500 {
            lost += backlog.add(Events.outage(second: second))
            lost += backlog.add(Events.recovery(second: second))
        }
        #expect(lost == 0)
        lost += backlog.add(Events.reminder("cache", second: 1))
        #expect(lost == 999)
        #expect(drain(&backlog) == [Events.outage(second: 499), Events.recovery(second: 499)])
    }

    @Test func aChangeOfStateIsNeverLost() {
        var backlog = EventBacklog()
        for second in 0..<500 {
            _ = backlog.add(Events.recovery(second: second))
            _ = backlog.add(Events.outage(second: second))
        }
        _ = backlog.add(Events.recovery(second: 500))
        #expect(drain(&backlog) == [Events.recovery(second: 500)])
    }

    @Test func freshnessIsCoalescedByItself() {
        var backlog = EventBacklog()
        let stale = Events.event(.stale(Staleness(behind: .seconds(12))), second: 0)
        let fresh = Events.event(.fresh(after: .seconds(3)), second: 1)
        _ = backlog.add(Events.outage(second: 2))
        for _ in 0..<499 { for event in [stale, fresh] { _ = backlog.add(event) } }
        _ = backlog.add(stale)
        #expect(backlog.add(Events.reminder(second: 3)) == 999)
        #expect(drain(&backlog) == [Events.outage(second: 2), stale])
    }

    @Test(arguments: 0..<20)
    func whateverComesEachServicesEventsAlternateAndEndWithItsState(seed: UInt64) {
        var random = SplitMix(state: seed)
        // Some rounds have more services than the capacity.
        let services = (0..<Int.random(in: 1...(seed.isMultiple(of: 4) ? 1500 : 50), using: &random)).map { "s\($0)" }
        var backlog = EventBacklog()
        var isUp: [String: Bool] = [:]
        var heard: [String: Bool] = [:]
        var lastSecond: [String: Int] = [:]

        func hear(_ event: FailoverEvent) {
            let second = Int(event.time.sinceEpoch.components.seconds)
            #expect(second > lastSecond[event.service] ?? -1, "out of order")
            lastSecond[event.service] = second
            switch event.kind {
            case .outage:
                #expect(heard[event.service] ?? true, "an outage during an outage")
                heard[event.service] = false
            case .recovery:
                #expect(heard[event.service] == false, "a recovery without an outage")
                heard[event.service] = true
            case .reminder: #expect(heard[event.service] == false, "a reminder without an outage")
            case .stale, .fresh, .degraded, .healthy: Issue.record("never added")
            }
        }

        for second in 0..<20_000 {
            let service = services.randomElement(using: &random) ?? ""
            if isUp[service] ?? true {
                isUp[service] = false
                _ = backlog.add(Events.outage(service, second: second))
            } else if Int.random(in: 0..<3, using: &random) == 0 {
                _ = backlog.add(Events.reminder(service, second: second))
            } else {
                isUp[service] = true
                _ = backlog.add(Events.recovery(service, second: second))
            }
            #expect(backlog.count <= max(EventBacklog.capacity, services.count))
            if Int.random(in: 0..<10, using: &random) == 0, let event = backlog.next() { hear(event) }
        }
        while let event = backlog.next() { hear(event) }
        for service in services { #expect(heard[service] ?? true == isUp[service] ?? true) }
    }
}

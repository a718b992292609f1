package import FailoverCore

/// The events that wait for a notifier, in order, within bounds.
///
/// When more than ``capacity`` wait, each service's are coalesced to what its listener has to know: reminders go, and of
/// outages and recoveries, as of stale and fresh, degraded and healthy, the last pair stays, or the last one if the listener would hear a change of state. So what is
/// told of a service alternates, and ends with its latest state. If that is still too much, pairs go too; then at most
/// one event a service waits, one of its freshness, and one of its health.
package struct EventBacklog: Sendable {
    /// Events that may wait, unless there are more services than that.
    package static let capacity = 1000

    private var events: [FailoverEvent] = []
    /// Where the next one stands; what is before it has been taken.
    private var first = 0

    package init() {}

    package var count: Int { events.count - first }

    /// Adds an event.
    ///
    /// - Returns: how many events were given up to make room for it.
    package mutating func add(_ event: FailoverEvent) -> Int {
        events.append(event)
        guard count > Self.capacity else { return 0 }
        let before = count
        coalesce(pairsStay: true)
        if count > Self.capacity / 2 { coalesce(pairsStay: false) }
        return before - count
    }

    /// Takes the oldest event.
    package mutating func next() -> FailoverEvent? {
        guard first < events.count else { return nil }
        defer { takeOne() }
        return events[first]
    }

    private mutating func takeOne() {
        first += 1
        // Moving the rest costs little if it is done seldom.
        guard first == events.count || first > Self.capacity else { return }
        events.removeFirst(first)
        first = 0
    }

    /// What is told of by turns.
    private struct Subject: Hashable {
        let service: String
        let subject: FailoverEvent.Kind.Name.Subject

        init(_ event: FailoverEvent) {
            service = event.service
            subject = event.kind.name.subject
        }
    }

    private mutating func coalesce(pairsStay: Bool) {
        let waiting = events[first...]
        var changes: [Subject: Int] = [:]
        for event in waiting where !event.isReminder { changes[Subject(event), default: 0] += 1 }
        // How many of a service's next changes are given up.
        var surplus = changes.mapValues { count in
            count.isMultiple(of: 2) ? (pairsStay ? count - 2 : count) : count - 1
        }
        events = waiting.filter { event in
            if event.isReminder { return false }
            guard let left = surplus[Subject(event)], left > 0 else { return true }
            surplus[Subject(event)] = left - 1
            return false
        }
        first = 0
    }
}

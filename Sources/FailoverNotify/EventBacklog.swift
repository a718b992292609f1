package import FailoverCore

/// The events that wait for a notifier, in order and within a limit.
///
/// When more than ``capacity`` events wait, the events of each service are coalesced. Reminders are dropped. Of each
/// subject (outage and recovery, stale and fresh, degraded and healthy) the last event stays if it differs from what
/// the receiver knows; otherwise the last two stay, which show that something happened. So the events of a subject
/// still alternate, and the last one is the latest state. If more than half of the capacity is still in use, these
/// pairs are dropped too. Then at most three events wait per service: one for each subject.
package struct EventBacklog: Sendable {
    /// The maximum number of events that wait. Only the latest events of more than 333 services can exceed it.
    package static let capacity = 1000

    private var events: [FailoverEvent] = []
    /// The position of the next event. The events before it have been taken.
    private var first = 0

    package init() {}

    package var count: Int { events.count - first }

    /// Adds an event.
    ///
    /// - Returns: the number of events that were dropped to make room.
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
        // The rest is moved only rarely, so that this is cheap.
        guard first == events.count || first > Self.capacity else { return }
        events.removeFirst(first)
        first = 0
    }

    /// A subject of a service. Its events alternate.
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
        // The number of changes to drop, from the oldest, by subject.
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

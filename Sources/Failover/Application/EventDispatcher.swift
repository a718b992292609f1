import FailoverAdmin
import FailoverCore
import FailoverNotify
import FailoverProxy
import Logging

/// Sends each event to the notifiers and to the admin plane.
final class EventDispatcher: Sendable {
    /// The recent events, for the admin plane.
    let events = EventRing()
    private let notifiers = Lock<[NotifierQueue]>([])

    /// Sends an event. It never waits.
    func tell(_ event: FailoverEvent) {
        for notifier in notifiers.withLock({ $0 }) { notifier.offer(event) }
        events.add(AdminEvent(event))
    }

    /// Adds an event to the admin plane: an alias has moved to another of its servers. It never waits.
    func tellMove(of name: String, from former: Endpoint, to server: Endpoint, at time: WallTime, serving: String?) {
        events.add(
            AdminEvent(
                .moved, name, "\(name) has moved to \(server).", at: time, detail: "It was on \(former).",
                currentAlias: serving))
    }

    /// Replaces the notifiers.
    func change(to notifiers: [NotifierQueue]) { self.notifiers.withLock { $0 = notifiers } }
}

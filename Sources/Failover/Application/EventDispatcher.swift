import FailoverAdmin
import FailoverCore
import FailoverNotify
import FailoverProxy
import Logging

/// Brings events to everyone who is to be told.
final class EventDispatcher: Sendable {
    /// What has happened, for those who ask.
    let events = EventRing()
    private let notifiers = Lock<[NotifierQueue]>([])

    /// Never waits.
    func tell(_ event: FailoverEvent) {
        for notifier in notifiers.withLock({ $0 }) { notifier.offer(event) }
        events.add(AdminEvent(event))
    }

    /// A service has become another of the servers that it may be. Never waits.
    func tellMove(of name: String, from former: Endpoint, to server: Endpoint, at time: WallTime, serving: String?) {
        events.add(
            AdminEvent(
                .moved, name, "\(name) is at \(server) now.", at: time, detail: "It was at \(former).",
                currentAlias: serving))
    }

    /// Tells these from now on.
    func change(to notifiers: [NotifierQueue]) { self.notifiers.withLock { $0 = notifiers } }
}

import FailoverAdmin
import FailoverCore
import FailoverNotify

/// Brings events to everyone who is to be told.
final class Announcer: Sendable {
    /// What has happened, for those who ask.
    let events = EventRing()
    private let notifiers = Lock<[NotifierQueue]>([])

    /// Never waits.
    func tell(_ event: FailoverEvent) {
        for notifier in notifiers.withLock({ $0 }) { notifier.offer(event) }
        events.add(AdminEvent(event))
    }

    /// Tells these from now on.
    func change(to notifiers: [NotifierQueue]) { self.notifiers.withLock { $0 = notifiers } }
}

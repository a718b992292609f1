import FailoverAdmin
import FailoverCore
import FailoverNotify

/// Brings events to everyone who is to be told.
final class Announcer: Sendable {
    /// What has happened, for those who ask.
    let events = EventRing()
    private let notifiers = Lock<[NotifierQueue]>([])
    /// By position in the route table, from one configuration to the next.
    private let staleSince = Lock<[Int: MonotonicTime]>([:])

    /// Never waits.
    func tell(_ event: FailoverEvent) {
        for notifier in notifiers.withLock({ $0 }) { notifier.offer(event) }
        events.add(AdminEvent(event))
    }

    /// An alias has become stale, or is fresh again.
    ///
    /// - Returns: how long it had been stale.
    func noteStaleness(_ isStale: Bool, ofAlias alias: Int, now: MonotonicTime) -> Duration {
        staleSince.withLock { staleSince in
            let since = staleSince[alias]
            staleSince[alias] = isStale ? since ?? now : nil
            return (since ?? now).duration(to: now)
        }
    }

    /// Tells these from now on.
    func change(to notifiers: [NotifierQueue]) { self.notifiers.withLock { $0 = notifiers } }
}

/// Decides whether a server that is alive is healthy, or degraded because it refuses the monitor.
///
///                    `fall` refusals in a row
///        ┌─────────┐ ───────────────────────▶ ┌──────────┐
///        │ healthy │                          │ degraded │  a reminder each `outageLoggingInterval`
///        └─────────┘ ◀─────────────────────── └──────────┘
///                    `rise` successes in a row
///
/// Pings that fail in another way do not change the health.
struct ServiceHealth: Sendable {
    private struct Degradation {
        let since: MonotonicTime
        var lastLogged: MonotonicTime
        var failure: PingFailure
    }

    private var degradation: Degradation?
    /// The number of answers in a row that contradict the state. They are too few yet to change it.
    private(set) var unconfirmed = 0
    /// Whether no ping has succeeded yet and the server was never degraded.
    private var isNew = true

    init() {}

    /// The health of a server that is known to refuse the monitor.
    init(refusing failure: PingFailure, since: MonotonicTime, lastLogged: MonotonicTime) {
        degradation = Degradation(since: since, lastLogged: lastLogged, failure: failure)
        isNew = false
    }

    /// The failure with which the server refuses the monitor; `nil` while it does not.
    var refusal: PingFailure? { degradation?.failure }

    /// How long the server has been refusing the monitor; `nil` if it does not.
    func lasting(now: MonotonicTime) -> Duration? { degradation?.since.duration(to: now) }

    /// Takes the event that the server refused the monitor.
    ///
    /// - Returns: the actions that follow.
    mutating func refused(_ failure: PingFailure, fall: Int, now: MonotonicTime) -> [ServiceAction] {
        guard degradation == nil else {
            unconfirmed = 0
            degradation?.failure = failure
            return []
        }
        unconfirmed += 1
        guard unconfirmed >= fall else { return [] }
        unconfirmed = 0
        degradation = Degradation(since: now, lastLogged: now, failure: failure)
        defer { isNew = false }
        return [.degraded(failure, fromTheStart: isNew)]
    }

    /// Takes the event that the server answered, and returns the actions that follow.
    mutating func succeeded(rise: Int, now: MonotonicTime) -> [ServiceAction] {
        isNew = false
        guard let since = degradation?.since else {
            unconfirmed = 0
            return []
        }
        unconfirmed += 1
        guard unconfirmed >= rise else { return [] }
        unconfirmed = 0
        degradation = nil
        return [.healthy(after: since.duration(to: now))]
    }

    /// When the next reminder is due.
    func nextReminder(every interval: Duration) -> MonotonicTime? { degradation?.lastLogged.advanced(by: interval) }

    /// Returns the reminder if it is due.
    mutating func remind(every interval: Duration, now: MonotonicTime) -> [ServiceAction] {
        guard let due = nextReminder(every: interval), due <= now, let since = degradation?.since,
            let failure = degradation?.failure
        else { return [] }
        degradation?.lastLogged = now
        return [.stillDegraded(failure, lasting: since.duration(to: now))]
    }
}

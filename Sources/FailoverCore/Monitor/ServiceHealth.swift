/// Whether a server that lives answers the monitor's question, or refuses it.
///
///                    `fall` refusals in a row
///        ┌─────────┐ ───────────────────────▶ ┌──────────┐
///        │ healthy │                          │ degraded │  a reminder each `outageLoggingInterval`
///        └─────────┘ ◀─────────────────────── └──────────┘
///                    `rise` successes in a row
///
/// Pings that fail otherwise say nothing of it.
struct ServiceHealth: Sendable {
    private struct Degradation {
        let since: MonotonicTime
        var lastLogged: MonotonicTime
        var failure: PingFailure
    }

    private var degradation: Degradation?
    /// Answers in a row that contradict the state, not yet enough of them.
    private(set) var unconfirmed = 0
    /// No ping has succeeded yet.
    private var isNew = true

    init() {}

    /// It is known to be refusing the monitor.
    init(refusing failure: PingFailure, since: MonotonicTime, lastLogged: MonotonicTime) {
        degradation = Degradation(since: since, lastLogged: lastLogged, failure: failure)
        isNew = false
    }

    /// What the server says when it refuses the monitor.
    var refusal: PingFailure? { degradation?.failure }

    /// For how long it has been refusing.
    func lasting(now: MonotonicTime) -> Duration? { degradation?.since.duration(to: now) }

    /// The server refused the monitor.
    ///
    /// - Returns: what is new.
    mutating func refused(_ failure: PingFailure, fall: Int, now: MonotonicTime) -> [ServiceStateMachine.Action] {
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

    /// The server answered.
    mutating func succeeded(rise: Int, now: MonotonicTime) -> [ServiceStateMachine.Action] {
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

    /// The reminder that is due.
    mutating func remind(every interval: Duration, now: MonotonicTime) -> [ServiceStateMachine.Action] {
        guard let due = nextReminder(every: interval), due <= now, let since = degradation?.since,
            let failure = degradation?.failure
        else { return [] }
        degradation?.lastLogged = now
        return [.stillDegraded(failure, lasting: since.duration(to: now))]
    }
}

/// What is known of one service, and what follows from each thing that happens to it.
///
/// Events go in with the time at which they happened, actions come out for the owner to perform. The machine alone
/// knows rise, fall, the frequencies and the reminders.
///
///                 `fall` failures in a row; an error that a session saw is one of them
///        ┌────┐ ─────────────────────────────▶ ┌──────┐
///        │ up │                                │ down │  a reminder each `outageLoggingInterval`
///        └────┘ ◀───────────────────────────── └──────┘
///                 `rise` successes in a row
public struct ServiceStateMachine: Sendable {
    /// What the owner has to do, in this order.
    public enum Action: Hashable, Sendable {
        /// Start a ping, bounded by `limit`, and report it with ``ServiceStateMachine/pingFinished(_:now:)``.
        case startPing(limit: Duration)
        /// New sessions are to prefer other aliases (`true`), or need not any longer (`false`).
        case setSuspect(Bool)
        /// The service is down: fail over, log, notify.
        case outage(PingFailure)
        /// It is still down: log and notify again.
        case reminder(PingFailure, lasting: Duration)
        /// It is still down, but other servers of it than before: log.
        case change(PingFailure)
        /// It is back: recover, log, notify.
        case recovery(after: Duration)
    }

    /// What asks for a ping.
    public enum Trigger: Hashable, Sendable {
        /// The passing of time.
        case timer
        /// A client arrived: pings if the state's frequency allows it.
        case newSession
        /// A backend error that `error_triggers` lists: pings as soon as `errorInterval` allows it.
        case observedError
        /// There is reason to look, and nobody is accused: a session waits for a backend longer than it should have to, an
        /// application saw an error. Pings as soon as `errorInterval` allows it.
        case doubt
        /// A person asks: pings now.
        case `operator`
    }

    /// The decided state.
    private enum Condition {
        /// Counts as up, at the start without proof. Leaves by `fall` failures in a row.
        case up
        /// Leaves by `rise` successes in a row.
        case down(since: MonotonicTime, lastLogged: MonotonicTime, failure: PingFailure)
    }

    public private(set) var settings: MonitorSettings
    private var condition = Condition.up
    /// Results in a row that contradict the condition, not yet enough of them.
    private var unconfirmed = 0
    private var lastPing: MonotonicTime?
    private var isPinging = false
    /// An observed error asks for a ping that has not started yet.
    private var errorAsks = false
    /// The moment of the latest observed error that no later ping has answered.
    private var suspectSince: MonotonicTime?

    /// Until its first result a service counts as up, and its first ping is due at once.
    public init(settings: MonitorSettings) {
        self.settings = settings
    }

    /// A service that is known to be down: its outage has been told, its first ping is due at once.
    public init(
        settings: MonitorSettings, downSince since: MonotonicTime, because failure: PingFailure, now: MonotonicTime
    ) {
        self.settings = settings
        condition = .down(since: since, lastLogged: now, failure: failure)
    }

    /// What is known of the service, under other settings. A ping in flight is forgotten.
    public func resumed(with settings: MonitorSettings) -> ServiceStateMachine {
        var machine = self
        machine.settings = settings
        machine.isPinging = false
        return machine
    }

    /// Something asks for a ping.
    public mutating func trigger(_ trigger: Trigger, now: MonotonicTime) -> [Action] {
        var actions: [Action] = []
        switch trigger {
        case .observedError:
            errorAsks = true
            actions += becomeSuspect(now: now)
        case .doubt: errorAsks = true
        case .timer, .newSession, .operator: break
        }
        actions += remindIfDue(now: now)
        if mayPing(trigger, now: now) {
            lastPing = now
            isPinging = true
            errorAsks = false
            actions.append(.startPing(limit: pingLimit))
        }
        return actions
    }

    /// The ping in flight has its answer.
    public mutating func pingFinished(_ result: PingResult, now: MonotonicTime) -> [Action] {
        guard isPinging else { return [] }
        isPinging = false
        return switch (condition, result.failure) {
        case (.up, nil): confirmUp()
        case (.up, let failure?): countFailure(failure, now: now)
        case (.down(let since, let lastLogged, let former), let failure?):
            stayDown(since: since, lastLogged: lastLogged, former: former, failure: failure, now: now)
        case (.down(let since, _, _), nil): countSuccess(since: since, now: now)
        }
    }

    /// When the owner has to call ``trigger(_:now:)`` with ``Trigger/timer`` next.
    public var nextWake: MonotonicTime? {
        switch (nextPing, nextReminder) {
        case (let ping?, let reminder?): min(ping, reminder)
        case (let ping, let reminder): ping ?? reminder
        }
    }

    /// When the frequencies allow the next ping; `nil` while one is in flight.
    public var nextPing: MonotonicTime? {
        guard !isPinging else { return nil }
        guard let lastPing else { return .zero }
        return lastPing.advanced(by: interval)
    }

    /// What the outside may know of the service.
    public func status(now: MonotonicTime) -> ServiceStatus {
        switch condition {
        case .up:
            ServiceStatus(verdict: .up, isSuspect: suspectSince != nil, unconfirmed: unconfirmed, isPinging: isPinging)
        case .down(let since, _, let failure):
            ServiceStatus(
                verdict: .down(failure, lasting: since.duration(to: now)), isSuspect: false,
                unconfirmed: unconfirmed, isPinging: isPinging)
        }
    }
}

// MARK: - When to ping

extension ServiceStateMachine {
    /// The shortest time from the start of the last ping to the start of the next.
    ///
    /// A confirmation and an observed error bring the next ping forward; they never put it off.
    private var interval: Duration {
        let frequencies = settings.frequencies
        let ofState =
            switch condition {
            case .up: frequencies.monitoringInterval
            case .down: frequencies.outageInterval
            }
        return unconfirmed > 0 || errorAsks ? min(ofState, frequencies.errorInterval) : ofState
    }

    private var pingLimit: Duration {
        switch condition {
        case .up: settings.pingTimeout
        case .down: settings.outagePingTimeout
        }
    }

    private func mayPing(_ trigger: Trigger, now: MonotonicTime) -> Bool {
        guard let nextPing else { return false }
        return trigger == .operator || nextPing <= now
    }
}

// MARK: - What a result means

extension ServiceStateMachine {
    private mutating func confirmUp() -> [Action] {
        unconfirmed = 0
        return clearSuspicionAnsweredByLastPing()
    }

    private mutating func countFailure(_ failure: PingFailure, now: MonotonicTime) -> [Action] {
        unconfirmed += 1
        // A session has met the same: two that look from different sides are more than one that looks twice.
        let witnesses = suspectSince == nil ? 0 : 1
        guard unconfirmed + witnesses >= settings.fall else { return [] }
        unconfirmed = 0
        suspectSince = nil
        condition = .down(since: now, lastLogged: now, failure: failure)
        return [.outage(failure)]
    }

    private mutating func stayDown(
        since: MonotonicTime, lastLogged: MonotonicTime, former: PingFailure, failure: PingFailure, now: MonotonicTime
    ) -> [Action] {
        unconfirmed = 0
        condition = .down(since: since, lastLogged: lastLogged, failure: failure)
        let reminder = remindIfDue(now: now)
        guard reminder.isEmpty, failure.isOfOtherServers(than: former) else { return reminder }
        return [.change(failure)]
    }

    private mutating func countSuccess(since: MonotonicTime, now: MonotonicTime) -> [Action] {
        unconfirmed += 1
        guard unconfirmed >= settings.rise else { return remindIfDue(now: now) }
        unconfirmed = 0
        condition = .up
        return [.recovery(after: since.duration(to: now))]
    }
}

// MARK: - Suspicion and reminders

extension ServiceStateMachine {
    private mutating func becomeSuspect(now: MonotonicTime) -> [Action] {
        guard case .up = condition else { return [] }
        let wasSuspect = suspectSince != nil
        suspectSince = now
        return wasSuspect ? [] : [.setSuspect(true)]
    }

    /// A success answers only errors that were seen before its ping started.
    private mutating func clearSuspicionAnsweredByLastPing() -> [Action] {
        guard let suspectSince, let lastPing, suspectSince <= lastPing else { return [] }
        self.suspectSince = nil
        return [.setSuspect(false)]
    }

    private var nextReminder: MonotonicTime? {
        guard case .down(_, let lastLogged, _) = condition else { return nil }
        return lastLogged.advanced(by: settings.frequencies.outageLoggingInterval)
    }

    private mutating func remindIfDue(now: MonotonicTime) -> [Action] {
        guard case .down(let since, _, let failure) = condition, let nextReminder, nextReminder <= now else {
            return []
        }
        condition = .down(since: since, lastLogged: now, failure: failure)
        return [.reminder(failure, lasting: since.duration(to: now))]
    }
}

/// What is known of one service, and what follows from each thing that happens to it.
///
/// Events go in with the time at which they happened, actions come out for the owner to perform. The machine alone
/// knows rise, fall, the frequencies and the reminders.
///
///                 `fall` pings in a row find it dead; sessions that suspect it count as one of them
///        ┌────┐ ─────────────────────────────▶ ┌──────┐
///        │ up │                                │ down │  a reminder each `outageLoggingInterval`
///        └────┘ ◀───────────────────────────── └──────┘
///                 `rise` pings in a row find it alive
///
/// A server that refuses the monitor is alive: see `ServiceHealth`. A ping that could not be asked changes nothing.
public struct ServiceStateMachine: Sendable {
    /// What the owner has to do, in this order.
    public enum Action: Hashable, Sendable {
        /// Start a ping, bounded by `limit`, and report it with ``ServiceStateMachine/pingFinished(_:now:)``.
        case startPing(limit: Duration)
        /// New sessions try other servers first, because of this: log.
        case suspect(ObservedError)
        /// New sessions try other servers first, because sessions are refused with these words: log.
        case refusesSessions(ServiceStanding.Availability, ObservedError)
        /// The service is down: fail over, log, notify.
        case outage(PingFailure)
        /// It is still down: log and notify again.
        case reminder(PingFailure, lasting: Duration)
        /// It is still down, but other servers of it than before: log.
        case change(PingFailure)
        /// It is back: recover, log, notify.
        case recovery(after: Duration)
        /// It is up, and refuses the monitor: log, notify. From the start: no ping has ever succeeded.
        case degraded(PingFailure, fromTheStart: Bool)
        /// It still refuses the monitor: log and notify again.
        case stillDegraded(PingFailure, lasting: Duration)
        /// It answers the monitor again: log, notify.
        case healthy(after: Duration)
        /// This machine could not ask the service: log.
        case couldNotAsk(PingFailure)
    }

    /// What asks for a ping.
    public enum Trigger: Hashable, Sendable {
        /// The passing of time.
        case timer
        /// A client arrived: pings if the state's frequency allows it.
        case newSession
        /// A session saw an error that `error_triggers` lists: pings as soon as `errorInterval` allows it.
        case observedError(ObservedError)
        /// There is reason to look, and no server is accused: a session waits for a backend longer than it should have to,
        /// an application saw an error. Pings as soon as `errorInterval` allows it.
        case doubt
        /// It serves somebody though it is down: pings now, unless it did within the last second.
        case served
        /// A person asks: pings now.
        case `operator`
    }

    /// The decided state.
    private enum Condition {
        /// Counts as up, at the start without proof. Leaves by `fall` dead pings in a row.
        case up
        /// Leaves by `rise` living pings in a row.
        case down(since: MonotonicTime, lastLogged: MonotonicTime, failure: PingFailure)
    }

    public private(set) var settings: MonitorSettings
    private var condition = Condition.up
    private var health = ServiceHealth()
    private var suspicion = Suspicion()
    private var refusals = NewSessionRefusals()
    /// Results in a row that contradict the condition, not yet enough of them.
    private var unconfirmed = 0
    private var lastPing: MonotonicTime?
    private var isPinging = false
    /// An observed error asks for a ping that has not started yet.
    private var errorAsks = false
    /// Its role or its replication was found wrong; only an answer can tell that it is right again.
    private var hasToAnswer = false
    /// When it was last logged that this machine could not ask, while that lasts.
    private var couldNotAskLogged: MonotonicTime?

    /// Until its first result a service counts as up, and its first ping is due at once.
    public init(settings: MonitorSettings) {
        self.settings = settings
    }

    /// A service that is known to be down: its outage has been told, its first ping is due at once.
    ///
    /// - Parameter hasToAnswer: its role or its replication was found wrong.
    public init(
        settings: MonitorSettings, downSince since: MonotonicTime, because failure: PingFailure,
        hasToAnswer: Bool = false, now: MonotonicTime
    ) {
        self.settings = settings
        self.hasToAnswer = hasToAnswer
        condition = .down(since: since, lastLogged: now, failure: failure)
    }

    /// Its server is known to refuse the monitor since then: that has been told.
    mutating func resumeRefusal(_ failure: PingFailure, since: MonotonicTime, now: MonotonicTime) {
        health = ServiceHealth(refusing: failure, since: since, lastLogged: now)
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
        case .observedError(let error):
            errorAsks = true
            actions += note(error, now: now)
        case .doubt, .served: errorAsks = true
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
        guard let failure = result.failure else {
            couldNotAskLogged = nil
            hasToAnswer = false
            return foundAlive(refusing: nil, now: now)
        }
        switch settings.meaning(of: failure) {
        case .local: return couldNotAsk(failure, now: now)
        case .refusal:
            couldNotAskLogged = nil
            return foundAlive(refusing: failure, now: now)
        case .dead:
            couldNotAskLogged = nil
            if failure.reason.isOfRole { hasToAnswer = true }
            return foundDead(failure, now: now)
        }
    }

    /// When the owner has to call ``trigger(_:now:)`` with ``Trigger/timer`` next, if nothing else happens before.
    ///
    /// - Parameter now: what has passed by then is not waited for.
    public func nextWake(after now: MonotonicTime) -> MonotonicTime? {
        [nextPing, nextReminder, refusals.expiry(after: now)].compactMap(\.self).min()
    }

    /// When the frequencies allow the next ping; `nil` while one is in flight.
    public var nextPing: MonotonicTime? {
        guard !isPinging else { return nil }
        guard let lastPing else { return .zero }
        return lastPing.advanced(by: interval)
    }

    /// Whether the service counts as up.
    public var isUp: Bool { if case .up = condition { true } else { false } }

    /// What new sessions should know of the service while it is up.
    public func standing(now: MonotonicTime) -> ServiceStanding {
        ServiceStanding(
            isSuspect: suspicion.isSuspect, availability: refusals.availability(now: now), refusal: health.refusal)
    }

    /// What the outside may know of the service.
    public func status(now: MonotonicTime) -> ServiceStatus {
        let verdict: ServiceStatus.Verdict =
            switch condition {
            case .up: .up
            case .down(let since, _, let failure): .down(failure, lasting: since.duration(to: now))
            }
        return ServiceStatus(
            verdict: verdict, standing: standing(now: now), degradedFor: health.lasting(now: now),
            unconfirmed: unconfirmed, isPinging: isPinging)
    }
}

// MARK: - When to ping

extension ServiceStateMachine {
    /// The shortest time from the start of the last ping to the start of the next.
    ///
    /// A confirmation, an observed error and a server that is full bring the next ping forward; they never put it off.
    private var interval: Duration {
        let frequencies = settings.frequencies
        let ofState =
            switch condition {
            case .up: frequencies.monitoringInterval
            case .down: frequencies.outageInterval
            }
        let isUrgent =
            unconfirmed > 0 || health.unconfirmed > 0 || errorAsks || couldNotAskLogged != nil || refusals.pingsMet
        return isUrgent ? min(ofState, frequencies.errorInterval) : ofState
    }

    private var pingLimit: Duration {
        switch condition {
        case .up: settings.pingTimeout
        case .down: settings.outagePingTimeout
        }
    }

    private func mayPing(_ trigger: Trigger, now: MonotonicTime) -> Bool {
        guard let nextPing else { return false }
        switch trigger {
        case .operator: return true
        case .served where lastPing.map { $0.advanced(by: .seconds(1)) <= now } ?? true: return true
        case .timer, .newSession, .observedError, .doubt, .served: return nextPing <= now
        }
    }
}

// MARK: - What a result means

extension ServiceStateMachine {
    /// The server lives; it may have refused the monitor.
    private mutating func foundAlive(refusing failure: PingFailure?, now: MonotonicTime) -> [Action] {
        switch condition {
        case .up:
            unconfirmed = 0
            if let lastPing { suspicion.answered(byPingAt: lastPing) }
            return admitted(failure, now: now)
        case .down(let since, _, _):
            if failure != nil, hasToAnswer { return remindIfDue(now: now) }
            unconfirmed += 1
            guard unconfirmed >= settings.rise else { return remindIfDue(now: now) }
            unconfirmed = 0
            condition = .up
            return [.recovery(after: since.duration(to: now))] + admitted(failure, now: now)
        }
    }

    /// The monitor was let in, or refused.
    private mutating func admitted(_ failure: PingFailure?, now: MonotonicTime) -> [Action] {
        refusals.pingMet(failure)
        return failure.map { health.refused($0, fall: settings.fall, now: now) }
            ?? health.succeeded(rise: settings.rise, now: now)
    }

    private mutating func foundDead(_ failure: PingFailure, now: MonotonicTime) -> [Action] {
        switch condition {
        case .up:
            unconfirmed += 1
            // Sessions have met the same: two that look from different sides are more than one that looks twice.
            let witnesses = suspicion.isSuspect ? 1 : 0
            guard unconfirmed + witnesses >= settings.fall else { return [] }
            unconfirmed = 0
            suspicion.clear()
            refusals.clear()
            condition = .down(since: now, lastLogged: now, failure: failure)
            return [.outage(failure)]
        case .down(let since, let lastLogged, let former):
            unconfirmed = 0
            condition = .down(since: since, lastLogged: lastLogged, failure: failure)
            let reminder = remindIfDue(now: now)
            guard reminder.isEmpty, failure.isOfOtherServers(than: former) else { return reminder }
            return [.change(failure)]
        }
    }

    private mutating func couldNotAsk(_ failure: PingFailure, now: MonotonicTime) -> [Action] {
        let reminder = remindIfDue(now: now)
        let due = couldNotAskLogged?.advanced(by: settings.frequencies.outageLoggingInterval)
        guard due.map({ $0 <= now }) ?? true else { return reminder }
        couldNotAskLogged = now
        return reminder + [.couldNotAsk(failure)]
    }
}

// MARK: - What sessions saw, and reminders

extension ServiceStateMachine {
    private mutating func note(_ error: ObservedError, now: MonotonicTime) -> [Action] {
        guard case .up = condition else { return [] }
        if let availability = ServiceStanding.Availability(error.kind) {
            let before = refusals.availability(now: now)
            refusals.sessionMet(error.kind, errorInterval: settings.frequencies.errorInterval, now: now)
            return refusals.availability(now: now) == before ? [] : [.refusesSessions(availability, error)]
        }
        return suspicion.note(error, settings, now: now) ? [.suspect(error)] : []
    }

    private var nextReminder: MonotonicTime? {
        let interval = settings.frequencies.outageLoggingInterval
        return switch condition {
        case .up: health.nextReminder(every: interval)
        case .down(_, let lastLogged, _): lastLogged.advanced(by: interval)
        }
    }

    private mutating func remindIfDue(now: MonotonicTime) -> [Action] {
        guard let nextReminder, nextReminder <= now else { return [] }
        switch condition {
        case .up: return health.remind(every: settings.frequencies.outageLoggingInterval, now: now)
        case .down(let since, _, let failure):
            condition = .down(since: since, lastLogged: now, failure: failure)
            return [.reminder(failure, lasting: since.duration(to: now))]
        }
    }
}

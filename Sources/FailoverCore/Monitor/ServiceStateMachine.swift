/// The state of one service, and the actions that follow from each event.
///
/// A method takes an event and its time, and returns the actions that the owner must perform. Only this type applies
/// rise, fall, the frequencies and the reminders.
///
///                 `fall` pings in a row find it dead; sessions that suspect it count as one of them
///        ┌────┐ ─────────────────────────────▶ ┌──────┐
///        │ up │                                │ down │  a reminder each `outageLoggingInterval`
///        └────┘ ◀───────────────────────────── └──────┘
///                 `rise` pings in a row find it alive
///
/// A server that refuses the monitor is alive: see `ServiceHealth`. A ping that failed on this machine does not change
/// the state.
public struct ServiceStateMachine: Sendable {
    /// The decided state.
    private enum Condition {
        /// The service counts as up, at first without any ping. `fall` pings in a row that find it dead end this state.
        case up
        /// The service is down. `rise` pings in a row that find it alive end this state.
        case down(since: MonotonicTime, lastLogged: MonotonicTime, failure: PingFailure)
    }

    public private(set) var settings: MonitorSettings
    private var condition = Condition.up
    private var health = ServiceHealth()
    private var suspicion = Suspicion()
    private var refusals = NewSessionRefusals()
    /// The number of results in a row that contradict the condition, too few yet to change it.
    private var unconfirmed = 0
    private var lastPing: MonotonicTime?
    /// The fraction of the interval between the first ping and the second; `nil` after that.
    private var phase: Double?
    private var isPinging = false
    /// Whether an observed error or a doubt has requested a ping that has not started yet.
    private var errorAsks = false
    /// A ping found the role or the replication wrong. Only an answer can show that it is right again.
    private var hasToAnswer = false
    /// When the log last reported that this machine could not ping; `nil` once it can.
    private var couldNotAskLogged: MonotonicTime?
    private var whereabouts = Whereabouts()
    /// The freshness of a replica's data, if its lag is limited.
    private var replica: ReplicaHealth

    /// A service counts as up until its first result. Its first ping is due at once.
    ///
    /// - Parameters:
    ///   - replication: how old the data may be; `nil`, the default, sets no limit.
    ///   - phase: the fraction of the interval, from 0 to 1, between the first ping and the second. Services that
    ///     start together with different phases are not pinged together from then on.
    public init(settings: MonitorSettings, replication: ReplicationPolicy? = nil, phase: Double = 1) {
        self.settings = settings
        self.phase = min(max(0, phase), 1)
        replica = ReplicaHealth(policy: replication)
    }

    /// Restores an outage that began at `since` and has already been reported.
    package mutating func resumeOutage(_ failure: PingFailure, since: MonotonicTime, now: MonotonicTime) {
        if failure.reason.isOfRole { hasToAnswer = true }
        condition = .down(since: since, lastLogged: now, failure: failure)
    }

    /// Restores facts about the alias that have already been reported.
    package mutating func resume(_ facts: AliasFacts, now: MonotonicTime) {
        hasToAnswer = facts.mustNotServe
        if let place = facts.place { whereabouts = Whereabouts(place) }
        replica.resume(facts.staleness, now: now)
    }

    /// Restores a refusal of the monitor that began at `since` and has already been reported.
    package mutating func resumeRefusal(_ failure: PingFailure, since: MonotonicTime, now: MonotonicTime) {
        health = ServiceHealth(refusing: failure, since: since, lastLogged: now)
    }

    /// The same state with other settings. A ping in flight is forgotten.
    public func resumed(with settings: MonitorSettings, replication: ReplicationPolicy? = nil) -> ServiceStateMachine {
        var machine = self
        machine.settings = settings
        machine.replica.change(to: replication)
        machine.isPinging = false
        return machine
    }

    /// Handles a request for a ping.
    public mutating func trigger(_ trigger: PingTrigger, now: MonotonicTime) -> [ServiceAction] {
        var actions: [ServiceAction] = []
        switch trigger {
        case .observedError(let error):
            errorAsks = true
            actions += note(error, now: now)
        case .doubt, .served: errorAsks = true
        case .timer, .newSession, .operator: break
        }
        actions += remindIfDue(now: now)
        if mayPing(trigger, now: now) {
            if lastPing != nil { phase = nil }
            lastPing = now
            isPinging = true
            errorAsks = false
            actions.append(.startPing(PingRequest(limit: pingLimit, record: whereabouts.record)))
        }
        return actions
    }

    /// Handles the result of the ping in flight.
    public mutating func pingFinished(_ answer: PingAnswer, now: MonotonicTime) -> [ServiceAction] {
        guard isPinging else { return [] }
        isPinging = false
        return whereabouts.note(answer) + replica.note(answer, now: now) + verdict(answer.failure, now: now)
    }

    private mutating func verdict(_ failure: PingFailure?, now: MonotonicTime) -> [ServiceAction] {
        guard let failure else {
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

    /// When the owner must call ``trigger(_:now:)`` with ``PingTrigger/timer`` next, if nothing else happens before.
    ///
    /// - Parameter now: the end of a refusal that is earlier than this time is ignored.
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

    /// What new sessions need to know about the service while it is up.
    public func standing(now: MonotonicTime) -> ServiceStanding {
        ServiceStanding(
            isSuspect: suspicion.isSuspect, availability: refusals.availability(now: now), refusal: health.refusal)
    }

    /// What routes need to know about the service.
    public func facts(now: MonotonicTime) -> AliasFacts {
        AliasFacts(
            place: whereabouts.place, staleness: replica.staleness, mustNotServe: hasToAnswer,
            standing: standing(now: now))
    }

    /// How far a replica is behind its primary by the latest ping; `nil` if that is unknown.
    public var lag: Duration? { replica.lag }

    /// The public status of the service.
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
    /// A result that needs confirmation, an observed error and a full server make the next ping earlier, never later.
    private var interval: Duration {
        let frequencies = settings.frequencies
        let ofState =
            switch condition {
            case .up: frequencies.monitoringInterval
            case .down: frequencies.outageInterval
            }
        let isUrgent =
            unconfirmed > 0 || health.unconfirmed > 0 || errorAsks || couldNotAskLogged != nil || refusals.pingsMet
        return isUrgent ? min(ofState, frequencies.errorInterval) : ofState * (phase ?? 1)
    }

    private var pingLimit: Duration {
        switch condition {
        case .up: settings.pingTimeout
        case .down: settings.outagePingTimeout
        }
    }

    private func mayPing(_ trigger: PingTrigger, now: MonotonicTime) -> Bool {
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
    /// The server is alive. It may have refused the monitor.
    private mutating func foundAlive(refusing failure: PingFailure?, now: MonotonicTime) -> [ServiceAction] {
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

    /// The server answered the monitor or refused it.
    private mutating func admitted(_ failure: PingFailure?, now: MonotonicTime) -> [ServiceAction] {
        refusals.pingMet(failure)
        return failure.map { health.refused($0, fall: settings.fall, now: now) }
            ?? health.succeeded(rise: settings.rise, now: now)
    }

    private mutating func foundDead(_ failure: PingFailure, now: MonotonicTime) -> [ServiceAction] {
        switch condition {
        case .up:
            unconfirmed += 1
            // Errors of sessions confirm the ping: they are better evidence than a second ping.
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

    private mutating func couldNotAsk(_ failure: PingFailure, now: MonotonicTime) -> [ServiceAction] {
        let reminder = remindIfDue(now: now)
        let due = couldNotAskLogged?.advanced(by: settings.frequencies.outageLoggingInterval)
        guard due.map({ $0 <= now }) ?? true else { return reminder }
        couldNotAskLogged = now
        return reminder + [.couldNotAsk(failure)]
    }
}

// MARK: - What sessions saw, and reminders

extension ServiceStateMachine {
    private mutating func note(_ error: ObservedError, now: MonotonicTime) -> [ServiceAction] {
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

    private mutating func remindIfDue(now: MonotonicTime) -> [ServiceAction] {
        guard let nextReminder, nextReminder <= now else { return [] }
        switch condition {
        case .up: return health.remind(every: settings.frequencies.outageLoggingInterval, now: now)
        case .down(let since, _, let failure):
            condition = .down(since: since, lastLogged: now, failure: failure)
            return [.reminder(failure, lasting: since.duration(to: now))]
        }
    }
}

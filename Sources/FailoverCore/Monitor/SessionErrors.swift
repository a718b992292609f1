/// The errors that sessions report about a service, until a ping shows that it is alive.
///
/// Errors of ``MonitorSettings/suspectAfter`` different sessions within the error interval make a service suspect. A
/// client may have caused the error of a single session. No client can cause a refused connect, so a single one is
/// enough.
struct Suspicion: Sendable {
    /// The latest error of each session within the error interval. Empty while the service is suspect.
    private var errors: [(session: UInt64, time: MonotonicTime)] = []
    /// The time of the latest error, if the service is suspect.
    private var latest: MonotonicTime?

    /// Whether new sessions should try other servers first.
    var isSuspect: Bool { latest != nil }

    /// Takes the event that a session saw an error.
    ///
    /// - Returns: whether this error made the service suspect.
    mutating func note(_ error: ObservedError, _ settings: MonitorSettings, now: MonotonicTime) -> Bool {
        if latest != nil {
            latest = now
            return false
        }
        errors.removeAll {
            $0.session == error.session || $0.time.duration(to: now) > settings.frequencies.errorInterval
        }
        errors.append((error.session, now))
        guard error.kind == .connectRefused || errors.count >= settings.suspectAfter else { return false }
        errors = []
        latest = now
        return true
    }

    /// Takes the event that a ping, which began at `start`, found the server alive. Errors that sessions saw after the
    /// start are kept.
    mutating func answered(byPingAt start: MonotonicTime) {
        errors.removeAll { $0.time <= start }
        if let latest, latest <= start { self.latest = nil }
    }

    /// Called when the service goes down: a service that is down is not suspect.
    mutating func clear() { self = Suspicion() }
}

/// Whether a server takes new sessions, according to pings and sessions.
///
/// A refusal that a session saw holds for some time even if pings succeed, because the user of the monitor may have
/// reserved connections (`superuser_reserved_connections`, `reserved_connections`, MySQL's extra connection for
/// administrators). After that time a session tries the server again. The time is the error interval at first. It
/// doubles each time the server refuses again.
struct NewSessionRefusals: Sendable {
    private struct Mark {
        let availability: ServiceStanding.Availability
        let until: MonotonicTime
        let lasting: Duration
    }

    /// The longest time that a refusal holds.
    private static let longest = Duration.seconds(60)

    /// What the latest ping that found the server alive has shown.
    private var toPings = ServiceStanding.Availability.open
    private var toSessions: Mark?

    /// Whether the server refused the latest ping that found it alive, because it is full or blocks this machine.
    var pingsMet: Bool { toPings != .open }

    /// What new sessions need to know.
    func availability(now: MonotonicTime) -> ServiceStanding.Availability {
        if toPings != .open { return toPings }
        guard let mark = toSessions, mark.until > now else { return .open }
        return mark.availability
    }

    /// When ``availability(now:)`` changes without an event.
    func expiry(after now: MonotonicTime) -> MonotonicTime? {
        guard let until = toSessions?.until, until > now else { return nil }
        return until
    }

    /// Takes the event that a session was refused for this reason.
    mutating func sessionMet(_ kind: BackendErrorKind, errorInterval: Duration, now: MonotonicTime) {
        guard let availability = ServiceStanding.Availability(kind) else { return }
        // A further refusal within the same time changes nothing.
        if let mark = toSessions, mark.until > now, mark.availability == availability { return }
        let isAgain = toSessions.map { $0.until.advanced(by: errorInterval) >= now } ?? false
        let lasting = isAgain ? min((toSessions?.lasting ?? errorInterval) * 2, Self.longest) : errorInterval
        toSessions = Mark(availability: availability, until: now.advanced(by: lasting), lasting: lasting)
    }

    /// Takes the result of a ping: its failure, or `nil` if it succeeded.
    mutating func pingMet(_ failure: PingFailure?) {
        toPings =
            switch failure?.reason {
            case .tooManyConnections: .full
            case .hostBlocked: .blocked
            default: .open
            }
    }

    /// Called when the server goes down: after its recovery, these refusals are out of date.
    mutating func clear() { self = NewSessionRefusals() }
}

extension ServiceStanding.Availability {
    /// The availability that an error of a session shows; `nil` for errors that do not refuse new sessions.
    init?(_ kind: BackendErrorKind) {
        switch kind {
        case .tooManyConnections: self = .full
        case .hostBlocked: self = .blocked
        default: return nil
        }
    }
}

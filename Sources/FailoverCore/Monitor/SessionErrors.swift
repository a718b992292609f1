/// The errors that sessions report about a service until a ping answers them.
///
/// One error of one session does not make a service suspect, because the client may have caused it. Errors of
/// ``MonitorSettings/suspectAfter`` different sessions within the error interval do. One refused connect does too,
/// because no client can cause it.
struct Suspicion: Sendable {
    /// The latest error of each session within the error interval; fewer than make the service suspect.
    private var errors: [(session: UInt64, time: MonotonicTime)] = []
    /// The time of the latest error, if the service is suspect.
    private var latest: MonotonicTime?

    /// Whether new sessions should try other servers first.
    var isSuspect: Bool { latest != nil }

    /// A session saw an error.
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

    /// A ping that began at `start` has shown that the server is alive. It answers only errors that were seen before
    /// it began.
    mutating func answered(byPingAt start: MonotonicTime) {
        errors.removeAll { $0.time <= start }
        if let latest, latest <= start { self.latest = nil }
    }

    /// Called when the service goes down, which makes suspicion irrelevant.
    mutating func clear() { self = Suspicion() }
}

/// Whether a server takes new sessions, by what pings and sessions saw.
///
/// A refusal that a session saw holds for a time even if pings succeed: the user of the monitor may have reserved
/// connections (`superuser_reserved_connections`, `reserved_connections`, MySQL's extra connection for
/// administrators). After that time one session tries again. The time is the error interval at first, and doubles
/// each time the server refuses again.
struct NewSessionRefusals: Sendable {
    private struct Mark {
        let availability: ServiceStanding.Availability
        let until: MonotonicTime
        let lasting: Duration
    }

    /// The longest time that a refusal holds.
    private static let longest = Duration.seconds(60)

    /// What the latest conclusive ping saw.
    private var toPings = ServiceStanding.Availability.open
    private var toSessions: Mark?

    /// Whether the server refused the latest conclusive ping because it is full or blocks this machine.
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

    /// A session was refused for this reason.
    mutating func sessionMet(_ kind: BackendErrorKind, errorInterval: Duration, now: MonotonicTime) {
        guard let availability = ServiceStanding.Availability(kind) else { return }
        // A refusal of another session within the same time is not news.
        if let mark = toSessions, mark.until > now, mark.availability == availability { return }
        let isAgain = toSessions.map { $0.until.advanced(by: errorInterval) >= now } ?? false
        let lasting = isAgain ? min((toSessions?.lasting ?? errorInterval) * 2, Self.longest) : errorInterval
        toSessions = Mark(availability: availability, until: now.advanced(by: lasting), lasting: lasting)
    }

    /// A ping succeeded, or failed with this failure.
    mutating func pingMet(_ failure: PingFailure?) {
        toPings =
            switch failure?.reason {
            case .tooManyConnections: .full
            case .hostBlocked: .blocked
            default: .open
            }
    }

    /// Called when the server goes down. After its return, these refusals are out of date.
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

/// Whether a server takes new sessions, from what it tells pings and sessions.
///
/// A refusal that a session met holds for a while even if pings succeed: the monitor's user may have connections of its
/// own left (`superuser_reserved_connections`, `reserved_connections`, MySQL's extra connection for administrators). Then
/// one session tries again. The while is the error interval at first, and doubles each time that the server has refused
/// again.
struct NewSessionRefusals: Sendable {
    private struct Mark {
        let availability: ServiceStanding.Availability
        let until: MonotonicTime
        let lasting: Duration
    }

    /// The longest while.
    private static let longest = Duration.seconds(60)

    /// What the latest ping that could tell said.
    private var toPings = ServiceStanding.Availability.open
    private var toSessions: Mark?

    /// Whether the latest ping that could tell was refused like that.
    var pingsMet: Bool { toPings != .open }

    /// What new sessions should know.
    func availability(now: MonotonicTime) -> ServiceStanding.Availability {
        if toPings != .open { return toPings }
        guard let mark = toSessions, mark.until > now else { return .open }
        return mark.availability
    }

    /// When ``availability(now:)`` changes by itself.
    func expiry(after now: MonotonicTime) -> MonotonicTime? {
        guard let until = toSessions?.until, until > now else { return nil }
        return until
    }

    /// A session was refused for this reason.
    mutating func sessionMet(_ kind: BackendErrorKind, errorInterval: Duration, now: MonotonicTime) {
        guard let availability = ServiceStanding.Availability(kind) else { return }
        // What another session met during the same while is no news.
        if let mark = toSessions, mark.until > now, mark.availability == availability { return }
        let isAgain = toSessions.map { $0.until.advanced(by: errorInterval) >= now } ?? false
        let lasting = isAgain ? min((toSessions?.lasting ?? errorInterval) * 2, Self.longest) : errorInterval
        toSessions = Mark(availability: availability, until: now.advanced(by: lasting), lasting: lasting)
    }

    /// A ping was let in, or refused for this reason.
    mutating func pingMet(_ failure: PingFailure?) {
        toPings =
            switch failure?.reason {
            case .tooManyConnections: .full
            case .hostBlocked: .blocked
            default: .open
            }
    }

    /// The server is down; when it is back, all of this is old.
    mutating func clear() { self = NewSessionRefusals() }
}

extension ServiceStanding.Availability {
    /// What an error of a session tells; `nil` of errors that do not refuse new sessions.
    init?(_ kind: BackendErrorKind) {
        switch kind {
        case .tooManyConnections: self = .full
        case .hostBlocked: self = .blocked
        default: return nil
        }
    }
}

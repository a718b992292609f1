/// What sessions say against a service until a ping answers them.
///
/// One error of one session accuses no server: the client may have caused it. Errors of ``MonitorSettings/suspectAfter``
/// different sessions within the error interval do, and so does one refused connect, which no client can cause.
struct Suspicion: Sendable {
    /// The latest error of each session, within the error interval; never more than make the service suspect.
    private var errors: [(session: UInt64, time: MonotonicTime)] = []
    /// The moment of the latest error, once the service is suspect.
    private var latest: MonotonicTime?

    /// Whether new sessions should try other servers first.
    var isSuspect: Bool { latest != nil }

    /// A session saw an error.
    ///
    /// - Returns: whether the service has become suspect by it.
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

    /// A ping that began at that time has shown that the server lives. It answers only errors that were seen before.
    mutating func answered(byPingAt start: MonotonicTime) {
        errors.removeAll { $0.time <= start }
        if let latest, latest <= start { self.latest = nil }
    }

    /// The service is down, which says more.
    mutating func clear() { self = Suspicion() }
}

import FailoverCore

/// What the server has said of one session that the proxy cannot read: whether it is at a transaction boundary.
///
/// Two gaps remain between what the server says and what the client knows, and silence closes both. A request may have
/// arrived after the answer: the answer counts only while no byte has passed in either direction since before the
/// question. The server may have finished its work while the last bytes of it were still under way, perhaps lost and to
/// be sent again: the answer counts only after a time in which those would have arrived.
struct Attestation {
    private enum State {
        case unasked, asked, confirmed, denied
    }

    private var state = State.unasked
    /// The session's number of bytes when the server was asked.
    private var bytes: UInt64 = 0
    /// When a session that was not at a boundary is asked for again if no byte passes, in nanoseconds. A server may
    /// answer its client slightly before it lists the session as idle.
    private var retryAt: UInt64 = 0
    private var pause = Self.shortestPause
    private var answeredAt: UInt64 = 0

    private static let shortestPause: UInt64 = 1_000_000_000
    private static let longestPause: UInt64 = 30_000_000_000
    /// The silence after the answer: more than the 200 ms after which Linux sends a lost segment again at the earliest.
    static let settlingTime: UInt64 = 250_000_000
    /// The same for a session whose client has spoken last. The server may have been at work on that.
    static let longSettlingTime: UInt64 = 1_000_000_000
    /// How long an answer counts, and when it is time for the next one. A session that has to wait for its turn is
    /// asked for again.
    static let lifetime: UInt64 = 5_000_000_000
    private static let renewal: UInt64 = 3_000_000_000

    init() {}

    /// Whether to ask for the session, which has passed this number of bytes.
    func needsQuestion(bytes: UInt64, now: UInt64) -> Bool {
        switch state {
        case .unasked: true
        case .asked: false
        case .confirmed: bytes != self.bytes || now &- min(now, answeredAt) >= Self.renewal
        case .denied: bytes != self.bytes || now >= retryAt
        }
    }

    /// Takes the event that the server is asked.
    mutating func ask(bytes: UInt64) {
        if bytes != self.bytes { pause = Self.shortestPause }
        self.bytes = bytes
        state = .asked
    }

    /// Takes the server's answer; `nil` if there was none.
    mutating func answer(_ isAtBoundary: Bool?, now: UInt64) {
        guard state == .asked else { return }
        answeredAt = now
        switch isAtBoundary {
        case true?: state = .confirmed
        case false?:
            state = .denied
            retryAt = now &+ pause
            pause = min(pause &* 2, Self.longestPause)
        case nil: state = .unasked
        }
    }

    /// Whether the session, which has passed this number of bytes, is at a boundary.
    ///
    /// - Parameters:
    ///   - clientSpokeLast: whether the latest bytes were the client's.
    ///   - isRestless: whether the session never rests for long. Then the silence before the question is enough.
    func confirms(bytes: UInt64, clientSpokeLast: Bool = false, isRestless: Bool = false, now: UInt64) -> Bool {
        guard state == .confirmed, bytes == self.bytes else { return false }
        let age = now &- min(now, answeredAt)
        let settling = clientSpokeLast ? Self.longSettlingTime : isRestless ? 0 : Self.settlingTime
        return age >= settling && age < Self.lifetime
    }
}

/// The questions of one ``Drain``, and what their answers say.
struct BoundaryQuestions {
    /// The server of some sessions.
    struct Place: Hashable {
        let alias: Int
        let server: SocketAddress
    }

    private struct Pending {
        let number: UInt64
        let askedAt: UInt64
        /// The sessions by the address from which the proxy is connected.
        let sessions: [SocketAddress: UInt64]
    }

    /// The attestations, by the number of the session.
    private var attestations: [UInt64: Attestation] = [:]
    private var pending: [Place: Pending] = [:]
    private var lastNumber: UInt64 = 0
    private var lastPeriod: UInt64 = 0
    /// Aliases whose server did not tell, and until when no question is prepared for them.
    private var resting: [Int: (until: UInt64, pause: UInt64)] = [:]

    /// The time between two questions to a server, in nanoseconds. All loops ask at the beginning of a period, so that
    /// the server gets one question for all of them.
    static let period: UInt64 = 250_000_000
    /// The maximum number of sessions that are looked at for a question. The others follow in the next ones.
    static let most = 1000
    /// The time after which a question without an answer is forgotten.
    private static let longestWait: UInt64 = 10_000_000_000
    private static let shortestRest: UInt64 = 1_000_000_000
    private static let longestRest: UInt64 = 30_000_000_000

    /// Begins a new period, if one has begun at this time, in nanoseconds.
    mutating func beginPeriod(at now: UInt64) -> Bool {
        let period = now / Self.period
        defer { lastPeriod = period }
        return period != lastPeriod
    }

    func isAttested(
        _ session: UInt64, bytes: UInt64, clientSpokeLast: Bool = false, isRestless: Bool = false, now: UInt64
    ) -> Bool {
        attestations[session]?.confirms(
            bytes: bytes, clientSpokeLast: clientSpokeLast, isRestless: isRestless, now: now) == true
    }

    /// Whether a question for the session, which has passed this number of bytes, is useful.
    func needsQuestion(_ session: UInt64, bytes: UInt64, now: UInt64) -> Bool {
        attestations[session]?.needsQuestion(bytes: bytes, now: now) ?? true
    }

    /// Whether a question to this server has not been answered yet.
    func isAsking(_ place: Place) -> Bool { pending[place] != nil }

    /// Whether the alias is left alone for a while, because its server did not tell.
    func isResting(_ alias: Int, now: UInt64) -> Bool { resting[alias].map { now < $0.until } ?? false }

    /// Forgets questions whose answer is overdue.
    mutating func forgetOverdue(now: UInt64) {
        for (place, question) in pending where now &- min(now, question.askedAt) >= Self.longestWait {
            answered(question.number, from: place, .untold, now: now)
        }
    }

    /// Registers a question for these sessions, each with its number of bytes.
    ///
    /// - Returns: the question's number.
    mutating func ask(
        _ place: Place, for sessions: [SocketAddress: (session: UInt64, bytes: UInt64)], now: UInt64
    ) -> UInt64 {
        for (session, bytes) in sessions.values { attestations[session, default: Attestation()].ask(bytes: bytes) }
        lastNumber += 1
        pending[place] = Pending(number: lastNumber, askedAt: now, sessions: sessions.mapValues(\.session))
        return lastNumber
    }

    /// Takes the answer to a question.
    ///
    /// - Returns: the sessions of the question.
    @discardableResult mutating func answered(_ number: UInt64, from place: Place, _ reply: BoundaryReply, now: UInt64)
        -> Set<UInt64>
    {
        guard let question = pending[place], question.number == number else { return [] }
        pending[place] = nil
        var atBoundary: Set<SocketAddress>?
        switch reply {
        case .told(let addresses):
            atBoundary = addresses
            resting[place.alias] = nil
        case .untold:
            let pause = resting[place.alias]?.pause ?? Self.shortestRest
            resting[place.alias] = (now &+ pause, min(pause &* 2, Self.longestRest))
        case .later: break
        }
        for (address, session) in question.sessions {
            attestations[session]?.answer(atBoundary?.contains(address), now: now)
        }
        return Set(question.sessions.values)
    }

    /// Forgets a session that has left the drain.
    mutating func forget(_ session: UInt64) { attestations[session] = nil }
}

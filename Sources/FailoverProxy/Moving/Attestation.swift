import FailoverCore

/// What the server has said of one session that the proxy cannot read: whether it is at a transaction boundary.
///
/// The server's answer may be late. Silence closes that gap: the answer counts only while no byte has passed in either
/// direction since before the question. Until then the server's state cannot have changed, because only a request of
/// the client changes it.
struct Attestation: Equatable {
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

    private static let shortestPause: UInt64 = 1_000_000_000
    private static let longestPause: UInt64 = 30_000_000_000

    init() {}

    /// Whether to ask for the session, which has passed this number of bytes.
    func needsQuestion(bytes: UInt64, now: UInt64) -> Bool {
        switch state {
        case .unasked: true
        case .asked: false
        case .confirmed: bytes != self.bytes
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
    func confirms(bytes: UInt64) -> Bool { state == .confirmed && bytes == self.bytes }
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
        /// The sessions by the address from which the proxy is connected.
        let sessions: [SocketAddress: UInt64]
    }

    /// The attestations, by the number of the session.
    private var attestations: [UInt64: Attestation] = [:]
    private var pending: [Place: Pending] = [:]
    private var lastNumber: UInt64 = 0
    private var lastPeriod: UInt64 = 0

    /// The time between two questions to a server, in nanoseconds. All loops ask at the beginning of a period, so that
    /// the server gets one question for all of them.
    static let period: UInt64 = 250_000_000
    /// The maximum number of sessions in a question. The others follow in the next ones.
    static let most = 1000

    /// Begins a new period, if one has begun at this time, in nanoseconds.
    mutating func beginPeriod(at now: UInt64) -> Bool {
        let period = now / Self.period
        defer { lastPeriod = period }
        return period != lastPeriod
    }

    func isAttested(_ session: UInt64, bytes: UInt64) -> Bool { attestations[session]?.confirms(bytes: bytes) == true }

    /// Whether a question for the session, which has passed this number of bytes, is useful.
    func needsQuestion(_ session: UInt64, bytes: UInt64, now: UInt64) -> Bool {
        attestations[session]?.needsQuestion(bytes: bytes, now: now) ?? true
    }

    /// Whether a question to this server has not been answered yet.
    func isAsking(_ place: Place) -> Bool { pending[place] != nil }

    /// Registers a question for these sessions, each with its number of bytes.
    ///
    /// - Returns: the question's number.
    mutating func ask(_ place: Place, for sessions: [SocketAddress: (session: UInt64, bytes: UInt64)]) -> UInt64 {
        for (session, bytes) in sessions.values { attestations[session, default: Attestation()].ask(bytes: bytes) }
        lastNumber += 1
        pending[place] = Pending(number: lastNumber, sessions: sessions.mapValues(\.session))
        return lastNumber
    }

    /// Takes the answer to a question.
    mutating func answered(_ number: UInt64, from place: Place, _ atBoundary: Set<SocketAddress>?, now: UInt64) {
        guard let question = pending[place], question.number == number else { return }
        pending[place] = nil
        for (address, session) in question.sessions {
            attestations[session]?.answer(atBoundary?.contains(address), now: now)
        }
    }

    /// Forgets a session that has left the drain.
    mutating func forget(_ session: UInt64) { attestations[session] = nil }
}

import FailoverCore

/// Tries the addresses of an alias in order and divides the time among them.
///
/// Connection attempts share `connect_timeout` and answers share `greeting_timeout`. Each address gets an equal part
/// of the remaining time, so that a dead or silent address leaves time for the others. The last address of the last
/// candidate gets more time for its answer, because no other server is left.
extension SessionStateMachine {
    /// A connection attempt as a last resort has this number of times the usual time limit.
    private static let lastResortFactor: UInt64 = 3

    mutating func dialFirstAddress(now: UInt64) -> Action {
        connectLeft = limits.connect &* (isLastResort ? Self.lastResortFactor : 1)
        answerLeft = limits.greeting
        address = 0
        addressFailure = nil
        return dial(now: now)
    }

    mutating func dial(now: UInt64) -> Action {
        let deadline = now &+ connectLeft / addressesLeft
        state = .dialing(deadline: deadline)
        return .dial(candidates[current].addresses[address], deadline: deadline)
    }

    /// - Returns: whether there is a next address and time left for it.
    mutating func moveToNextAddress() -> Bool {
        guard addressesLeft > 1, connectLeft > 0 else { return false }
        address += 1
        return true
    }

    mutating func ask(_ bytes: [UInt8], now: UInt64) -> Action {
        // While the backend is being dialed, nothing is sent. It gets all bytes once it is connected.
        if case .dialing(let deadline) = state { return .wait(deadline: deadline) }
        state = .handshake
        let deadline = answerDeadline ?? now &+ answerTime
        answerDeadline = deadline
        return .ask(bytes, deadline: deadline)
    }

    /// Subtracts the time used by the current or completed connection attempt.
    mutating func spendOnConnecting(now: UInt64) {
        guard case .dialing(let deadline) = state else { return }
        let began = deadline &- connectLeft / addressesLeft
        connectLeft -= min(connectLeft, now &- min(now, began))
    }

    /// Subtracts the time in which the address was silent.
    mutating func spendOnAnswering() { answerLeft -= answerLeft / addressesLeft }

    /// The number of addresses left of the current alias, including the current one.
    private var addressesLeft: UInt64 {
        guard current < candidates.count else { return 1 }
        return UInt64(max(1, candidates[current].addresses.count - address))
    }

    private var answerTime: UInt64 {
        guard addressesLeft == 1, isLastCandidate else { return answerLeft / addressesLeft }
        let alias = candidates[current].alias
        return max(limits.greeting, alias < lastAnswerLimits.count ? lastAnswerLimits[alias] : 0)
    }

    /// Whether no alias is left after the current one.
    var isLastCandidate: Bool {
        current < candidates.count && candidates[(current + 1)...].allSatisfy(\.addresses.isEmpty)
    }
}

// MARK: - Observations

extension SessionStateMachine {
    /// Takes the failures to report.
    ///
    /// A backend that closes the connection because of the client's bytes may be right to do so. It is accused once
    /// another backend accepts the same bytes.
    mutating func takeReports() -> [Report] {
        guard !unreported.isEmpty else { return [] }
        var waiting: [Attempt] = []
        let reports = unreported.compactMap { attempt -> Report? in
            guard mayBeClientsFault(attempt.failure) else { return Report(attempt: attempt, accuses: true) }
            switch state {
            case .relaying: return Report(attempt: attempt, accuses: true)
            case .refused: return Report(attempt: attempt, accuses: false)
            case .listening, .dialing, .handshake:
                waiting.append(attempt)
                return nil
            }
        }
        unreported = waiting
        return reports
    }

    /// Takes the observations about addresses.
    mutating func takeAddressNews() -> [AddressNews] {
        guard !addressNews.isEmpty else { return [] }
        defer { addressNews = [] }
        return addressNews
    }

    mutating func noteAddress(_ failure: DialFailure) {
        guard failure.isOfTheAddress, !mayBeClientsFault(failure) else { return }
        noteAddress(serves: false)
    }

    mutating func noteThatAddressServes() { noteAddress(serves: true) }

    /// An alias with one address has no order to change.
    private mutating func noteAddress(serves: Bool) {
        let addresses = candidates[current].addresses
        guard addresses.count > 1 else { return }
        addressNews.append(AddressNews(address: addresses[address], serves: serves))
    }
}

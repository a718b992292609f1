import FailoverCore

/// The addresses of an alias, one after the other, and the time that each has.
///
/// Connections share `connect_timeout`, answers `greeting_timeout`, in equal parts of what is left, so that a dead or
/// silent address starves no other. The very last address of the last candidate has longer for its answer: there is
/// nobody else to ask.
extension SessionStateMachine {
    /// How much more time than usual a connection has that is the last resort.
    private static let lastResortPatience: UInt64 = 3

    mutating func dialFirstAddress(now: UInt64) -> Action {
        connectLeft = limits.connect &* (isLastResort ? Self.lastResortPatience : 1)
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

    /// - Returns: whether there is one, and time for it.
    mutating func moveToNextAddress() -> Bool {
        guard addressesLeft > 1, connectLeft > 0 else { return false }
        address += 1
        return true
    }

    mutating func ask(_ bytes: [UInt8], now: UInt64) -> Action {
        // While it is being dialed, the backend gets all of it when the connection stands.
        if case .dialing(let deadline) = state { return .wait(deadline: deadline) }
        state = .opening
        let deadline = answerDeadline ?? now &+ answerTime
        answerDeadline = deadline
        return .ask(bytes, deadline: deadline)
    }

    /// Takes what the connection that is under way has used up, or took.
    mutating func spendOnConnecting(now: UInt64) {
        guard case .dialing(let deadline) = state else { return }
        let began = deadline &- connectLeft / addressesLeft
        connectLeft -= min(connectLeft, now &- min(now, began))
    }

    /// Takes the time in which the address was silent.
    mutating func spendOnAnswering() { answerLeft -= answerLeft / addressesLeft }

    /// Of the current alias, the present one with them.
    private var addressesLeft: UInt64 {
        guard current < candidates.count else { return 1 }
        return UInt64(max(1, candidates[current].addresses.count - address))
    }

    private var answerTime: UInt64 {
        guard addressesLeft == 1, isLastCandidate else { return answerLeft / addressesLeft }
        let alias = candidates[current].alias
        return max(limits.greeting, alias < lastAnswerLimits.count ? lastAnswerLimits[alias] : 0)
    }

    /// Whether nobody can be asked after the current alias.
    private var isLastCandidate: Bool {
        current < candidates.count && candidates[(current + 1)...].allSatisfy(\.addresses.isEmpty)
    }
}

// MARK: - What is learned

extension SessionStateMachine {
    mutating func noteAddress(_ failure: DialFailure) {
        guard failure.isOfTheAddress, !mayBeClientsFault(failure) else { return }
        noteAddress(serves: false)
    }

    mutating func noteThatAddressServes() { noteAddress(serves: true) }

    /// Of an alias with one address there is no order to be changed.
    private mutating func noteAddress(serves: Bool) {
        let addresses = candidates[current].addresses
        guard addresses.count > 1 else { return }
        addressNews.append(AddressNews(address: addresses[address], serves: serves))
    }
}

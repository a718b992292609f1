package import FailoverCore

/// What was found at a server's name and behind it.
package struct Examination: Sendable {
    /// What one address answered.
    package struct Answer: Sendable {
        package var address: String
        /// `nil` of a server that is only connected to.
        package var facts: Result<ServerFacts?, PingFailure>

        package init(address: String, facts: Result<ServerFacts?, PingFailure>) {
            self.address = address
            self.facts = facts
        }
    }

    /// Why the name has no address; `nil` if it has.
    package var unresolved: PingFailure?
    /// The addresses of the name, each time that it was asked for.
    package var lookUps: [Set<String>]
    /// Those of the first look-up, in the order in which they are tried.
    package var answers: [Answer]

    package init(unresolved: PingFailure? = nil, lookUps: [Set<String>] = [], answers: [Answer] = []) {
        self.unresolved = unresolved
        self.lookUps = lookUps
        self.answers = answers
    }

    /// What the first address says that answers as it should; `nil` when none does, or nothing is known of the protocol.
    package var facts: ServerFacts? {
        answers.lazy.compactMap { try? $0.facts.get() }.first
    }

    /// Why there is nothing to know; `nil` if there is.
    package var failure: PingFailure? {
        if let unresolved { return unresolved }
        var failure: PingFailure?
        for answer in answers {
            switch answer.facts {
            case .success: return nil
            case .failure(let error): failure = failure ?? error
            }
        }
        return failure
    }
}

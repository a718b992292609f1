/// Why a configuration was not accepted: all its mistakes at once.
public struct ConfigurationError: Error, Hashable, Sendable {
    /// At least one; in order of their lines, those without a line first.
    public let problems: [ConfigurationProblem]

    /// Sorts the problems; those of one line stay in the order in which they were found.
    public init(problems: [ConfigurationProblem]) {
        let ordered = problems.enumerated().sorted { a, b in
            (a.element.line ?? 0, a.offset) < (b.element.line ?? 0, b.offset)
        }
        self.problems = ordered.map(\.element)
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// One line a problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

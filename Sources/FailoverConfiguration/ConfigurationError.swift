/// Why a configuration was rejected. The error contains all mistakes of the file, not only the first.
public struct ConfigurationError: Error, Hashable, Sendable {
    /// The mistakes, at least one, in the order of their lines. Mistakes without a line come first.
    public let problems: [ConfigurationProblem]

    /// Sorts the problems by line. Problems of one line keep their order.
    public init(problems: [ConfigurationProblem]) {
        let ordered = problems.enumerated().sorted { a, b in
            (a.element.line ?? 0, a.offset) < (b.element.line ?? 0, b.offset)
        }
        self.problems = ordered.map(\.element)
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// One line per problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// One mistake in a configuration file.
public struct ConfigurationProblem: Hashable, Sendable {
    /// The name of the file, as given to the method that loaded it.
    public let file: String
    /// The line of the mistake, counted from 1; `nil` if there is none, for example if the file cannot be read.
    public let line: Int?
    /// The path of the key, such as `services.slave.listen[1]`; empty for the file as a whole.
    public let keyPath: String
    /// What is wrong, and what would be right. The message never contains a secret.
    public let message: String

    public init(file: String, line: Int?, keyPath: String, message: String) {
        self.file = file
        self.line = line
        self.keyPath = keyPath
        self.message = message
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// `failover.yaml:12: services.slave.listen: …`, as compilers write it.
    public var description: String {
        let location = line.map { "\(file):\($0)" } ?? file
        return keyPath.isEmpty ? "\(location): \(message)" : "\(location): \(keyPath): \(message)"
    }
}

/// The place of a secret in a configuration, without the secret itself.
package struct SecretPlace: Hashable, Sendable {
    /// The path of the key, such as `databases.slave.password`.
    package var keyPath: String
    /// The path of the file that contains the secret; `nil` for the configuration file itself.
    package var file: String?

    package init(keyPath: String, file: String?) {
        self.keyPath = keyPath
        self.file = file
    }
}

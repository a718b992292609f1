/// A program to run, with its arguments, environment and input.
package struct Command: Hashable, Sendable {
    /// The program's absolute path, then its arguments. No shell interprets them.
    package var words: [String]
    /// Additional environment variables. The command also gets those of this process, except the ones that hold
    /// secrets.
    package var environment: [String: String]
    /// The bytes of its standard input.
    package var input: [UInt8]

    package init(_ words: [String], environment: [String: String] = [:], input: [UInt8] = []) {
        self.words = words
        self.environment = environment
        self.input = input
    }

    /// The same command with additional environment variables.
    package func adding(_ variables: [String: String]) -> Command {
        var command = self
        command.environment.merge(variables) { $1 }
        return command
    }
}

/// How a command ended.
package struct CommandResult: Hashable, Sendable {
    package enum Ending: Hashable, Sendable {
        case exited(Int32)
        case signalled(Int32)
        /// The command was killed at its time limit, with all processes that it had started.
        case timedOut
    }

    package let ending: Ending
    /// The end of its standard output and standard error, at most 64 KiB.
    package let output: [UInt8]

    package init(ending: Ending, output: [UInt8]) {
        self.ending = ending
        self.output = output
    }

    package var succeeded: Bool { ending == .exited(0) }

    /// The last line of the output that is not blank. If there is none, the text says how the command ended.
    package var summary: String {
        let lines = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.last { !$0.allSatisfy(\.isWhitespace) }.map(String.init) ?? ending.description
    }
}

extension CommandResult.Ending: CustomStringConvertible {
    package var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signalled(let number): "killed by signal \(number)"
        case .timedOut: "killed at its time limit"
        }
    }
}

package import FailoverCore
package import FailoverSystem

/// Runs a command of the operator. Exit status 0 is success; anything else is a failure. Only one run is in progress at
/// a time.
package struct CommandCheck: Sendable {
    private let command: Command
    private let threads: BlockingThreads
    private let occupancy = PingSlot()

    /// The extra time for a program to end after it was killed at the limit.
    private static let grace = Duration.seconds(1)

    package init(command: Command, threads: BlockingThreads) {
        self.command = command
        self.threads = threads
    }

    /// Runs the command. At the time limit the command is killed with its process group.
    ///
    /// - Parameter variables: additional environment variables for this run.
    /// - Throws: `.command` with the last line of the output; `.timeout(.command)` at the limit; `.local` if the
    ///   command cannot be started; `.timeout(.hung)` if an earlier run has not ended.
    package func run(adding variables: [String: String] = [:], limit: Duration) async throws(PingFailure) {
        let program = command.words.first ?? ""
        let command = command.adding(variables)
        let deadline = Deadline(limit)
        try await occupancy.take(until: deadline) {
            PingFailure(.timeout(.hung), "\(program): an earlier run has not ended yet")
        }
        let ended = Promise<Result<CommandResult, PingFailure>>()
        do {
            try threads.start { [occupancy] in
                let outcome = Result { () throws(PingFailure) in
                    do throws(SystemError) {
                        return try ChildProcess.run(command, until: deadline)
                    } catch {
                        throw PingFailure(.local, "\(program): \(error.message)")
                    }
                }
                occupancy.leave()
                ended.give(outcome)
            }
        } catch {
            occupancy.leave()
            throw error
        }
        // A program in an uninterruptible system call cannot be killed.
        let result = try await ended.take(within: deadline.remaining + Self.grace) {
            PingFailure(.timeout(.command), "\(program) could not be killed within \(limit.text)")
        }
        switch result.ending {
        case .exited(0): return
        case .exited, .signalled: throw PingFailure(.command, result.summary.asOneLine())
        case .timedOut: throw PingFailure(.timeout(.command), "\(program) did not end within \(limit.text)")
        }
    }
}

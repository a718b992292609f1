package import FailoverCore
package import FailoverSystem

/// A command of the operator's: exit status 0 is success, anything else is a failure. Never run twice at a time.
package struct CommandCheck: Sendable {
    private let command: Command
    private let threads: BlockingThreads
    private let occupancy = Occupancy()

    package init(command: Command, threads: BlockingThreads) {
        self.command = command
        self.threads = threads
    }

    /// Runs the command, and kills it with its process group at the limit.
    ///
    /// - Parameter variables: of the environment, for this run.
    /// - Throws: `.command` with the last line of its output, `.timeout(.command)`, `.local` when it cannot be started,
    ///   `.timeout(.hung)` while an earlier run cannot be killed.
    package func run(adding variables: [String: String] = [:], limit: Duration) async throws(PingFailure) {
        let program = command.words.first ?? ""
        let command = command.adding(variables)
        let deadline = Deadline(limit)
        try await occupancy.take(until: deadline) {
            PingFailure(.timeout(.hung), "\(program): an earlier run has not ended yet")
        }
        let answer = Answer<CommandResult>()
        do {
            try threads.start { [occupancy] in
                let outcome = Result { () throws(PingFailure) in
                    do throws(SystemError) {
                        return try ChildProcess.run(command, until: deadline)
                    } catch {
                        throw PingFailure(.local, "\(program): \(error.words)")
                    }
                }
                occupancy.leave()
                answer.give(outcome)
            }
        } catch {
            occupancy.leave()
            throw error
        }
        let result = try await answer.take()
        switch result.ending {
        case .exited(0): return
        case .exited, .signalled: throw PingFailure(.command, result.summary.asOneLine(hiding: nil))
        case .timedOut: throw PingFailure(.timeout(.command), "\(program) did not end within \(limit.text)")
        }
    }
}

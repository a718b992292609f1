package import FailoverCore
package import FailoverSystem

/// Pings by a command of the operator's: exit status 0 is up, anything else is down.
package struct CommandCheck: Sendable {
    private let command: Command
    private let threads: BlockingThreads

    package init(command: Command, threads: BlockingThreads) {
        self.command = command
        self.threads = threads
    }

    /// Runs the command, and kills it with its process group at the limit.
    ///
    /// - Throws: `.command` with the last line of its output, `.timeout(.command)`, `.local` when it cannot be started.
    package func ping(limit: Duration) async throws(PingFailure) {
        let deadline = Deadline(limit)
        let program = command.words.first ?? ""
        let result = try await threads.run { [command] () throws(PingFailure) in
            do throws(SystemError) {
                return try ChildProcess.run(command, until: deadline)
            } catch {
                throw PingFailure(.local, "\(program): \(error.words)")
            }
        }
        switch result.ending {
        case .exited(0): return
        case .exited, .signalled: throw PingFailure(.command, result.summary.asOneLine(hiding: nil))
        case .timedOut: throw PingFailure(.timeout(.command), "\(program) did not end within \(limit.text)")
        }
    }
}

package import FailoverCore
package import FailoverSystem

/// Runs a command for each event, with the event as JSON on its standard input.
package struct CommandNotifier: Notifier {
    package let name: String
    private let words: [String]
    private let threads: BlockingThreads

    /// - Parameter words: the program's absolute path, then its arguments.
    package init(_ words: [String], threads: BlockingThreads) {
        name = "command \(words.first ?? "")"
        self.words = words
        self.threads = threads
    }

    package func deliver(_ event: FailoverEvent, limit: Duration) async throws {
        let command = Command(words, input: Array((EventJSON(event).text + "\n").utf8))
        try await threads.deliver(by: command, limit: limit)
    }
}

extension BlockingThreads {
    /// Runs a command that delivers a notification.
    ///
    /// - Throws: ``OperationError`` if the command does not end with exit status 0 within the limit.
    func deliver(by command: Command, limit: Duration) async throws {
        let deadline = Deadline(limit)
        let outcome = try await run { () throws(PingFailure) in
            Result { () throws(SystemError) in try ChildProcess.run(command, until: deadline) }
        }
        switch outcome {
        case .success(let result) where result.succeeded: return
        case .success(let result):
            let words = result.ending == .timedOut ? "\(result.ending)" : "\(result.ending): \(result.summary)"
            throw OperationError(.notification, words.withoutControls)
        case .failure(let error): throw OperationError(.notification, error.message)
        }
    }
}

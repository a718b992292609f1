import FailoverCore
import FailoverTesting
import Testing

/// A fault of a server, and the kind under which it is reported.
struct ServerFault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let kind: BackendErrorKind
    let play: @Sendable (FaultyServerConnection) -> Void

    /// Runs a test against this fault. Only for silence must a time limit pass, and the limit must leave a busy
    /// machine time for everything else.
    ///
    /// - Parameter isServed: whether the client was served in the end.
    func played<Outcome>(
        until isServed: (Outcome) -> Bool, _ attempt: (_ limit: Duration) async throws -> Outcome
    ) async rethrows -> Outcome {
        kind == .greetingTimeout
            ? try await patiently(.milliseconds(100), until: isServed, attempt) : try await attempt(.ample)
    }

    init(_ name: String, _ kind: BackendErrorKind, _ play: @escaping @Sendable (FaultyServerConnection) -> Void) {
        testDescription = name
        self.kind = kind
        self.play = play
    }
}

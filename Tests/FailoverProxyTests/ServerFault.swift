import FailoverCore
import FailoverTesting
import Testing

/// A fault of a server, and under which kind it is reported.
struct ServerFault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let kind: BackendErrorKind
    let play: @Sendable (FaultyServerConnection) -> Void

    init(_ name: String, _ kind: BackendErrorKind, _ play: @escaping @Sendable (FaultyServerConnection) -> Void) {
        testDescription = name
        self.kind = kind
        self.play = play
    }
}

// The fuzzer builds this file too.

@testable import FailoverProxy

extension PostgresReader: SessionReader {
    /// The reader uses no further memory.
    static let memoryLimit = 0

    var heldBytes: Int { 0 }

    var outcome: [Int] { [isReadable ? 1 : 0, isAtBoundary ? 1 : 0, mayTellClient ? 1 : 0, owesAnswer ? 1 : 0] }
}

// The fuzzer builds this file too, together with the reader itself.
#if canImport(FailoverProxy)
    @testable import FailoverProxy
#endif

extension PostgresReader: SessionReader {
    /// It holds none.
    static let memoryLimit = 0

    var heldBytes: Int { 0 }

    var outcome: [Int] { [isReadable ? 1 : 0, isAtBoundary ? 1 : 0, mayTellClient ? 1 : 0, awaitsServer ? 1 : 0] }
}

// The fuzzer builds this file too.

@testable import FailoverProxy

extension MySQLReader: SessionReader {
    /// The queue and the cursors, with room to grow.
    static let memoryLimit = 2 * (queueLimit * MemoryLayout<MySQLCommand>.stride + cursorLimit * 4) + 2048

    var outcome: [Int] {
        [
            isReadable ? 1 : 0, isAtBoundary ? 1 : 0, errorSequence.map(Int.init) ?? -1, Int(heard.rawValue),
            owesAnswer ? 1 : 0,
        ]
    }
}

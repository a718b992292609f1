/// The common interface of the readers of all protocols for tests. The fuzzer builds this file too.
protocol SessionReader {
    init()
    mutating func serverSent(_ bytes: UnsafeRawBufferPointer)
    mutating func clientSent(_ bytes: UnsafeRawBufferPointer)
    var isReadable: Bool { get }
    var isAtBoundary: Bool { get }
    /// Bytes of memory beyond the value itself.
    var heldBytes: Int { get }
    /// The maximum of ``heldBytes``.
    static var memoryLimit: Int { get }
    /// All properties that the proxy reads, for comparison.
    var outcome: [Int] { get }
}

/// How a stream is cut into chunks.
enum Chunking: CaseIterable {
    case whole
    case byteByByte
    case random
}

extension SessionReader {
    /// Plays the bytes of an event, cut into chunks.
    mutating func play(_ event: SessionScript.Event, _ chunking: Chunking = .whole) {
        let (bytes, isServer) =
            switch event {
            case .server(let bytes): (bytes, true)
            case .client(let bytes): (bytes, false)
            case .expect: ([], false)
            }
        // Depends only on the event, so that a failure can be reproduced.
        var seed = UInt32(truncatingIfNeeded: bytes.count) | 1
        var start = 0
        bytes.withUnsafeBytes { all in
            while start < all.count {
                seed = seed &* 1_664_525 &+ 1_013_904_223
                let count =
                    switch chunking {
                    case .whole: all.count
                    case .byteByByte: 1
                    case .random: Int(seed >> 16) % (seed >> 31 == 0 ? 9 : 300) + 1
                    }
                let chunk = UnsafeRawBufferPointer(rebasing: all[start..<min(start + count, all.count)])
                if isServer { serverSent(chunk) } else { clientSent(chunk) }
                start += count
            }
        }
    }

    /// A violated invariant of sessions; `nil` if there is none.
    static func violation(in script: SessionScript) -> String? {
        var readers = Chunking.allCases.map { (chunking: $0, reader: Self()) }
        var wasReadable = true
        for (index, event) in script.events.enumerated() {
            for position in readers.indices { readers[position].reader.play(event, readers[position].chunking) }
            let reader = readers[0].reader
            for other in readers.dropFirst() where other.reader.outcome != reader.outcome {
                return "event \(index): \(other.chunking): \(other.reader.outcome), not \(reader.outcome)"
            }
            if reader.isReadable, !wasReadable { return "event \(index): readable again" }
            wasReadable = reader.isReadable
            if let sentence = reader.violation { return "event \(index): \(sentence)" }
        }
        return nil
    }

    private var violation: String? {
        if heldBytes > Self.memoryLimit { return "holds \(heldBytes) bytes" }
        if !isReadable, heldBytes > 0 { return "holds memory though unreadable" }
        guard isAtBoundary else { return nil }
        if !isReadable { return "at a boundary though unreadable" }
        if heldBytes > 0 { return "holds memory while idle" }
        var (client, server) = (self, self)
        client.play(.client([3]))
        server.play(.server([3]))
        return client.isAtBoundary || server.isAtBoundary ? "at a boundary within a message" : nil
    }
}

import Synchronization

/// The read buffer of a loop, shared by all its sessions.
struct ReadBuffer: ~Copyable {
    let bytes: UnsafeMutableRawBufferPointer

    init(size: Int) {
        bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
    }

    deinit { bytes.deallocate() }

    /// The bytes from `start` up to `end`, copied.
    func copy(from start: Int, to end: Int) -> [UInt8] {
        [UInt8](UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start..<end]))
    }
}

/// Bytes that wait until a peer can receive them. Uses memory only while there are any.
struct PendingBytes {
    private var bytes: [UInt8] = []
    private var sent = 0

    init() {}

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isEmpty: Bool { bytes.isEmpty }

    var count: Int { bytes.count - sent }

    mutating func append(_ more: [UInt8]) {
        if bytes.isEmpty { bytes = more } else { bytes += more }
    }

    /// Removes bytes that have been sent.
    mutating func consume(_ count: Int) {
        sent += count
        if sent >= bytes.count { self = PendingBytes() }
    }

    func withRemaining<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
    }
}

/// The number of bytes that the sessions of all loops buffer for slow peers, and its limit, `max_buffer_memory`.
final class BufferBudget: Sendable {
    private let held = Atomic<Int>(0)
    private let limit = Atomic<Int>(.max)

    /// - Parameter limit: in bytes; `nil` is no limit.
    func change(limit: Int?) { self.limit.store(limit ?? .max, ordering: .relaxed) }

    /// - Parameter count: the number of bytes buffered; negative if they are released.
    func add(_ count: Int) { held.add(count, ordering: .relaxed) }

    var bytes: Int { held.load(ordering: .relaxed) }

    /// Whether no more bytes may be buffered.
    var isExhausted: Bool { held.load(ordering: .relaxed) >= limit.load(ordering: .relaxed) }
}

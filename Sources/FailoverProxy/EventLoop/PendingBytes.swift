/// Bytes that a peer had no room for yet. Takes memory only while there are any.
struct PendingBytes {
    private var bytes: [UInt8] = []
    private var sent = 0

    init() {}

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isEmpty: Bool { bytes.isEmpty }

    var count: Int { bytes.count - sent }

    mutating func append(_ more: [UInt8]) { bytes += more }

    /// That many more bytes have gone.
    mutating func consume(_ count: Int) {
        sent += count
        if sent >= bytes.count { self = PendingBytes() }
    }

    func withRemaining<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
    }
}

/// Splits one direction of a PostgreSQL stream into messages: a type, a length and a body; chapter "Message Formats".
///
/// Keeps only the head of an incomplete message: type, length and the first byte of the body.
struct PostgresFramer {
    private var head: UInt64 = 0
    private var headCount: UInt8 = 0
    /// The number of bytes left of the current message.
    private var rest: UInt32 = 0
    /// Whether the stream is not PostgreSQL's: a length below 4.
    private(set) var isBroken = false

    /// Whether the next byte begins a message.
    var isAtMessage: Bool { headCount == 0 && rest == 0 }

    /// Reads the bytes.
    ///
    /// - Parameter message: called for each message once the first byte of its body has arrived, with the available
    ///   part of the body.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer, _ message: (_ type: UInt8, _ body: UnsafeRawBufferPointer) -> Void
    ) {
        var index = 0
        while index < bytes.count, !isBroken {
            if rest > 0 {
                let step = min(Int(rest), bytes.count - index)
                rest -= UInt32(step)
                index += step
            } else if headCount == 0, bytes.count - index >= 6 {
                // The usual case: nothing must be kept.
                let length = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: index + 1, as: UInt32.self))
                guard length >= 4 else {
                    isBroken = true
                    return
                }
                let start = index + 5
                let end = min(bytes.count, start + Int(length) - 4)
                message(bytes[index], UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                rest = length - 4 - UInt32(end - start)
                index = end
            } else {
                keep(bytes[index], message)
                index += 1
            }
        }
    }

    /// Takes the next byte of a head that arrives in pieces.
    private mutating func keep(_ byte: UInt8, _ message: (UInt8, UnsafeRawBufferPointer) -> Void) {
        head = head << 8 | UInt64(byte)
        headCount += 1
        guard headCount >= 5 else { return }
        let head = headCount == 6 ? head >> 8 : head
        let length = UInt32(truncatingIfNeeded: head)
        guard length >= 4 else {
            isBroken = true
            return
        }
        if headCount == 5, length > 4 { return }
        let hasBody = headCount == 6
        rest = length - 4 - (hasBody ? 1 : 0)
        self.head = 0
        headCount = 0
        withUnsafeBytes(of: byte) { first in
            message(
                UInt8(truncatingIfNeeded: head >> 32), UnsafeRawBufferPointer(rebasing: first[..<(hasBody ? 1 : 0)]))
        }
    }
}

/// One direction of a session, split into packets. It holds memory only while the beginning of a packet is incomplete.
struct MySQLPacketStream {
    /// The header and view of a packet, as far as they have arrived.
    private var partial: [UInt8] = []
    /// The number of bytes of the current packet's body that have not arrived.
    private var rest: UInt32 = 0
    private var sequence: UInt8 = 0
    /// Whether the latest packet was full, so that the next one continues it.
    private var continues = false

    /// A packet, and whether it begins a message or continues one that did not fit into one packet.
    enum Event {
        case message(MySQLPacket)
        case continuation(MySQLPacket)
        /// A continuation out of order.
        case outOfOrder
    }

    /// Whether the current message is complete.
    var isBetweenMessages: Bool { rest == 0 && !continues && partial.isEmpty }

    /// Whether the beginning of a message was returned and the message is not complete yet.
    var isWithinMessage: Bool { rest > 0 || continues }

    /// The number of bytes that have not arrived yet of the packet whose beginning was returned.
    var restOfPacket: Int { Int(rest) }

    /// Bytes of memory beyond the value itself.
    var heldBytes: Int { partial.capacity }

    /// Reads bytes up to the beginning of the next packet and returns it; `nil` if the bytes end earlier.
    mutating func next(_ bytes: inout UnsafeRawBufferPointer) -> Event? {
        if rest > 0 {
            let skipped = min(Int(rest), bytes.count)
            rest -= UInt32(skipped)
            bytes.drop(skipped)
        }
        guard !bytes.isEmpty else { return nil }
        guard partial.isEmpty else { return completePartial(&bytes) }
        guard let packet = MySQLPacket(bytes) else {
            partial = Array(bytes)
            bytes.drop(bytes.count)
            return nil
        }
        bytes.drop(MySQLPacket.headerSize + packet.viewed)
        return begin(packet)
    }

    /// Reads bytes up to the end of a packet and returns its body; `nil` if it is incomplete.
    ///
    /// - Parameter limit: the size in bytes above which an empty body is returned.
    mutating func whole(_ bytes: inout UnsafeRawBufferPointer, limit: Int) -> (body: [UInt8], sequence: UInt8)? {
        take(&bytes, upTo: MySQLPacket.headerSize)
        guard let length = partialLength else { return nil }
        defer { if length > limit { partial = [] } }
        guard length <= limit else { return ([], partial[3]) }
        take(&bytes, upTo: MySQLPacket.headerSize + length)
        guard partial.count == MySQLPacket.headerSize + length else { return nil }
        let (body, sequence) = (Array(partial[MySQLPacket.headerSize...]), partial[3])
        partial = []
        return (body, sequence)
    }

    private mutating func completePartial(_ bytes: inout UnsafeRawBufferPointer) -> Event? {
        take(&bytes, upTo: MySQLPacket.headerSize)
        guard let length = partialLength else { return nil }
        take(&bytes, upTo: MySQLPacket.headerSize + min(length, MySQLPacket.viewSize))
        guard let packet = partial.withUnsafeBytes({ MySQLPacket($0) }) else { return nil }
        partial = []
        return begin(packet)
    }

    /// The length of the body according to the partial header, once that is complete.
    private var partialLength: Int? {
        guard partial.count >= MySQLPacket.headerSize else { return nil }
        return Int(partial[0]) | Int(partial[1]) << 8 | Int(partial[2]) << 16
    }

    private mutating func take(_ bytes: inout UnsafeRawBufferPointer, upTo count: Int) {
        let taken = min(max(count - partial.count, 0), bytes.count)
        partial.append(contentsOf: bytes.prefix(taken))
        bytes.drop(taken)
    }

    private mutating func begin(_ packet: MySQLPacket) -> Event {
        let (isContinuation, isInOrder) = (continues, packet.sequence == sequence &+ 1)
        rest = UInt32(packet.length - packet.viewed)
        continues = packet.length == MySQLPacket.fullSize
        sequence = packet.sequence
        guard isContinuation else { return .message(packet) }
        return isInOrder ? .continuation(packet) : .outOfOrder
    }
}

extension UnsafeRawBufferPointer {
    /// Drops up to `dropped` bytes from the front. Slices and rebasing cost more than everything else here.
    @inline(__always)
    fileprivate mutating func drop(_ dropped: Int) {
        let dropped = Swift.min(dropped, count)
        self = UnsafeRawBufferPointer(start: baseAddress?.advanced(by: dropped), count: count &- dropped)
    }
}

/// One direction of a session: from a source to the other side.
struct Flow {
    /// Bytes that are kept at most when the destination has no room; and read at once until more than that has come.
    static let mostKept = 16 * 1024

    /// What the destination had no room for. While there is any, the source is not read.
    var pending = PendingBytes()
    /// Bytes received from the source.
    var received: UInt64 = 0
    /// Whether the latest that was read was much: the next is measured against what the destination has room for.
    var isBulky = false
    /// What the source has sent waits for a guard, and so must what it sends next.
    var isHeld = false
    /// The source has sent all it will send.
    var sourceEnded = false
    /// The destination has been told so.
    var isFinished = false
    /// The destination takes no more: what the source still sends is thrown away.
    var isLost = false

    /// Whether there is more to come from the source, and room for it.
    var mayRead: Bool { pending.isEmpty && !sourceEnded && !isHeld }
}

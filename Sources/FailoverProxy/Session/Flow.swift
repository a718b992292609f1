/// One direction of a session: from a source to the other side.
struct Flow {
    /// What the destination had no room for. While there is any, the source is not read.
    var pending = PendingBytes()
    /// Bytes received from the source.
    var received: UInt64 = 0
    /// What the source has sent waits for a guard, and so must what it sends next.
    var isHeld = false
    /// The source has sent all it will send.
    var sourceEnded = false
    /// The destination has been told so.
    var isFinished = false

    /// Whether there is more to come from the source, and room for it.
    var mayRead: Bool { pending.isEmpty && !sourceEnded && !isHeld }
}

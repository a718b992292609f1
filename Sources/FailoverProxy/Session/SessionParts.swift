import FailoverCore

/// One direction of a session: from a source to a destination.
struct Flow {
    /// The maximum number of bytes buffered when the destination accepts none, and the read size until a larger
    /// amount has arrived.
    static let mostKept = 16 * 1024

    /// Bytes that the destination has not accepted yet. While there are any, the source is not read.
    var pending = PendingBytes()
    /// Bytes received from the source.
    var received: UInt64 = 0
    /// Whether the latest read was large. The next one is then limited to what the destination accepts.
    var isBulky = false
    /// Whether bytes of the source wait for a guard. The bytes after them must wait too.
    var isHeld = false
    /// Whether the source has closed its sending direction.
    var sourceEnded = false
    /// Whether this has been passed on to the destination.
    var isFinished = false
    /// Whether the destination accepts no more data. Further bytes of the source are then discarded.
    var isUntracked = false

    /// Whether to read from the source.
    var mayRead: Bool { pending.isEmpty && !sourceEnded && !isHeld }
}

/// The guard of one MySQL session. It is a separate object, so that sessions without a guard need less memory.
final class GuardedMySQL {
    var state: MySQLGuard
    /// Whether the time for the server's answer runs.
    var isAwaited = false

    init(opaque: SessionSettings.OpaquePolicy) { state = MySQLGuard(refusesOpaque: opaque == .refuse) }
}

/// The guard by statement of one PostgreSQL session.
final class GuardedPostgres {
    var state = PostgresGuard()
    /// Whether the time for the server's answer runs.
    var isAwaited = false
}

/// The login of a MySQL session. It is a separate object, so that other sessions need less memory.
final class PendingLogin {
    var state: MySQLLogin
    /// The deadline for the login once a backend serves the session.
    var deadline = UInt64.max

    init(_ state: MySQLLogin) { self.state = state }
}

import FailoverCore
import FailoverTLS

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

/// What only some sessions have. It is a separate object, so that the others need less memory.
final class SessionExtras {
    /// The login of a MySQL session, until it is complete.
    var login: PendingLogin?
    /// TLS with the client, where it ends at the proxy.
    var client: TLSLink?
    /// TLS with the server, where the proxy has begun it.
    var backend: TLSLink?

    /// How the proxy encrypts the connection to the server that was dialed, until the session is served.
    var serverTLS: ServerTLS?
    /// The beginning of TLS with the client, while it waits in the ``HandshakeQueue``.
    var waitingForTLS: WaitingForTLS?
    /// The source whose handshake this is, until it has ended.
    var handshakeSource: UInt64?
    /// When the handshake with the client began; nanoseconds of the loop's clock.
    var handshakeBegan: UInt64?

    var isEmpty: Bool {
        login == nil && client == nil && backend == nil && serverTLS == nil && waitingForTLS == nil
            && handshakeSource == nil
    }

    subscript(side: Side) -> TLSLink? {
        get { side == .client ? client : backend }
        set { if side == .client { client = newValue } else { backend = newValue } }
    }
}

/// What the client gets in clear text before TLS begins, and what it has sent of its handshake already.
struct WaitingForTLS {
    let answer: [UInt8]
    let received: [UInt8]
    /// Whether it is the client's turn.
    var mayBegin = false
}

/// TLS with one side of a session.
struct TLSLink {
    let channel: TLSChannel
    /// Whether the peer must name PostgreSQL's protocol.
    var namesProtocol = false
    /// Whether the handshake is in progress.
    var isShakingHands = true
    /// Whether reading from the side waits for a socket that can be written to.
    var readsWhenWritable = false
    /// Whether the end of the sending direction waits for the same.
    var endsWhenWritable = false
}

/// The login of a MySQL session.
final class PendingLogin {
    var state: MySQLLogin
    /// The deadline for the login once a backend serves the session.
    var deadline = UInt64.max

    init(_ state: MySQLLogin) { self.state = state }
}

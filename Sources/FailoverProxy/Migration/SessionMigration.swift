import FailoverCore
import FailoverTLS

/// A session's way from one server to another.
final class SessionMigration {
    /// When it began; nanoseconds of the loop's clock.
    let began: UInt64
    /// Why it must leave its server. The client gets this text if it cannot migrate.
    let reason: String
    /// The question for the session's state that the server is answering.
    var question: PostgresStateQuestion?
    /// Whether the session leaves its server if the answer allows it. Otherwise it is only asked.
    let leaves: Bool
    /// The server that it leaves, while that one lives and no other one serves.
    var former: FormerServer?
    /// When the client or the server has last sent something for the other.
    var lastActivity: UInt64 = 0
    /// How many more times the server may take `greeting_timeout` for its answer.
    var patience = 3
    /// Whether the server has gone, and the session waits for its turn at another one.
    var awaitsTurn = false

    init(began: UInt64, reason: String, leaves: Bool = true) {
        self.began = began
        self.reason = reason
        self.leaves = leaves
    }
}

/// The connection to a server that a session leaves. The session goes on with it if no other server takes it.
final class FormerServer {
    private var connection: Descriptor?
    let tls: TLSLink?
    let alias: Int
    /// The alias on whose `max_connections` it counts.
    let place: Int?
    /// The alias's count of server changes when it was dialed.
    let moves: UInt32
    /// What the client cancels with, and the server's own key if that is another one.
    let key: SessionKey
    let movedKey: MovedKey?
    /// Whether the kernel watches the connection.
    let isWatched: Bool
    /// How often the alias had gone down.
    let falls: UInt32

    /// `Terminate`: type and length.
    private static let terminate: [UInt8] = [UInt8(ascii: "X"), 0, 0, 0, 4]

    init(
        _ connection: consuming Descriptor, tls: TLSLink?, alias: Int, place: Int?, moves: UInt32, key: SessionKey,
        movedKey: MovedKey?, isWatched: Bool, falls: UInt32
    ) {
        self.connection = consume connection
        self.tls = tls
        self.alias = alias
        self.place = place
        self.moves = moves
        self.key = key
        self.movedKey = movedKey
        self.isWatched = isWatched
        self.falls = falls
    }

    func takeConnection() -> Descriptor? { connection.take() }

    /// Ends the session at the server.
    func leave() {
        guard let connection = connection.take() else { return }
        Self.terminate.withUnsafeBytes { bytes in
            if let tls {
                _ = tls.channel.send(bytes)
                _ = tls.channel.endSending()
            } else {
                _ = connection.send(bytes)
            }
        }
    }
}

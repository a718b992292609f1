import FailoverTesting
import Testing

@testable import FailoverProxy

/// A guarded session written by a test, and what each side receives. Sends everything in chunks of the given kind.
struct GuardedConversation {
    private typealias Talk = MySQLConversation

    private(set) var state: MySQLGuard
    private let chunking: Chunking
    /// The output since it was last taken.
    private(set) var toServer: [UInt8] = []
    private(set) var toClient: [UInt8] = []
    private(set) var refusal: MySQLGuard.Refusal?

    /// The packet with the guard's statement.
    static let set = FaultyServerConnection.mysqlPacket(0, [3] + Array("SET SESSION TRANSACTION READ ONLY".utf8))

    init(_ chunking: Chunking = .whole, refusesOpaque: Bool = false) {
        self.chunking = chunking
        state = MySQLGuard(refusesOpaque: refusesOpaque)
    }

    /// A session that is logged in and guarded.
    init(loggedIn chunking: Chunking, refusesOpaque: Bool = false) {
        self.init(chunking, refusesOpaque: refusesOpaque)
        server(0, Talk.greeting(.init()))
        client(1, Talk.handshake(.init()))
        server(2, Talk.ok())
        server(1, Talk.ok())
        (toServer, toClient) = ([], [])
    }

    mutating func client(_ sequence: UInt8, _ body: [UInt8]) { say(.client(packet(sequence, body))) }
    mutating func server(_ sequence: UInt8, _ body: [UInt8]) { say(.server(packet(sequence, body))) }

    mutating func say(_ event: SessionScript.Event) {
        var player = GuardedPlayer(state)
        player.play(event, chunking)
        state = player.state
        toServer += player.toServer
        toClient += player.toClient
        refusal = refusal ?? player.refusal
    }

    /// The server sends nothing more in time.
    mutating func silence() -> MySQLGuard.GuardOutput? { state.serverIsSilent("silent") }

    /// Takes the output.
    mutating func takeServer() -> [UInt8] {
        defer { toServer = [] }
        return toServer
    }

    mutating func takeClient() -> [UInt8] {
        defer { toClient = [] }
        return toClient
    }

    func packet(_ sequence: UInt8, _ body: [UInt8]) -> [UInt8] { FaultyServerConnection.mysqlPacket(sequence, body) }
}

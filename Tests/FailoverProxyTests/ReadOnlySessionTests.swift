import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Read-only sessions on a failover alias", .timeLimit(.minutes(5)), .explained)
struct ReadOnlySessionTests {
    /// The messages that servers received, in order.
    private final class Heard: Sendable {
        private let notes = Lock<[String]>([])
        var all: [String] { notes.withLock { $0 } }
        func note(_ word: String) { notes.withLock { $0.append(word) } }
    }

    private static let set = "SET SESSION TRANSACTION READ ONLY"

    private func proxy(
        own: Int, failover: Int, _ engine: DatabaseServer.Engine, _ opaque: SessionSettings.OpaquePolicy = .allow,
        patience: Duration = .ample
    ) throws -> ProxyUnderTest {
        try ProxyUnderTest(
            ports: [own, failover], engine: engine,
            session: SessionSettings(
                connectTimeout: .ample, greetingTimeout: patience, drainRate: 1000, failoverReadOnly: true,
                readOnlyOpaque: opaque))
    }

    // MARK: MySQL

    /// Serves MySQL and records commands. `answer` answers the guard's statement before the login's answer is passed
    /// on.
    private func mysql(
        _ heard: Heard, answer: @escaping @Sendable (FaultyServerConnection) -> Void = { $0.sendMySQLOK(sequence: 1) }
    ) -> EchoBackend {
        EchoBackend { connection in
            guard connection.acceptMySQLLogin() else { return heard.note("gone") }
            while let body = connection.receiveMySQLPacket() {
                switch body.first {
                case 3:
                    let query = String(decoding: body.dropFirst(), as: UTF8.self)
                    heard.note(query)
                    if query == Self.set { answer(connection) } else { connection.sendMySQLOK(sequence: 1) }
                case 0x1f:
                    heard.note("reset")
                    connection.sendMySQLOK(sequence: 1)
                default:
                    heard.note("\(body.first ?? 0)")
                    return
                }
            }
        }
    }

    @Test func aMySQLServerIsToldFirstAndAgainAfterAReset() async throws {
        let heard = Heard()
        let (unused, backend) = (UnusedPort(), mysql(heard))
        let proxy = try proxy(own: Int(unused.port), failover: backend.port, .mysql)
        let client = try await MySQLClient(proxy)
        #expect(try await client.run("select 1") == 2)
        // Pipelined, in one piece.
        let query = FaultyServerConnection.mysqlPacket(0, [3] + Array("select 2".utf8))
        try await client.connection.send(FaultyServerConnection.mysqlPacket(0, [0x1f]) + query)
        for _ in 0..<2 { #expect(try await client.packet()?.sequence == 1) }
        #expect(heard.all == [Self.set, "select 1", "reset", Self.set, "select 2"])
    }

    @Test func aMySQLSessionOnTheRoutesOwnAliasIsLeftAlone() async throws {
        let heard = Heard()
        let (backend, unused) = (mysql(heard), UnusedPort())
        let proxy = try proxy(own: backend.port, failover: Int(unused.port), .mysql)
        let client = try await MySQLClient(proxy)
        #expect(try await client.run("select 1") == 2)
        #expect(heard.all == ["select 1"])
    }

    @Test func whoIsSwitchedToTheFailoverAliasIsGuardedToo() async throws {
        let (own, failover) = (Heard(), Heard())
        let backends = [mysql(own), mysql(failover)]
        let proxy = try proxy(own: backends[0].port, failover: backends[1].port, .mysql)
        proxy.board.pin(route: 0, to: 1)
        let client = try await MySQLClient(proxy)
        #expect(try await client.run("select 1") == 2)
        #expect(own.all == [])
        #expect(failover.all == [Self.set, "select 1"])
    }

    @Test func aGuardedSessionMovesBackAtItsBoundary() async throws {
        let (own, failover) = (Heard(), Heard())
        let backends = [mysql(own), mysql(failover)]
        let proxy = try proxy(own: backends[0].port, failover: backends[1].port, .mysql)
        proxy.board.markDown(alias: 0, because: PingFailure(.refused, "for now"))
        let client = try await MySQLClient(proxy)
        #expect(try await client.run("select 1") == 2)
        proxy.board.markUp(alias: 0)
        #expect(try await client.packet() == nil)
        let next = try await MySQLClient(proxy)
        #expect(try await next.run("select 2") == 2)
        #expect(own.all == ["select 2"])
    }

    /// MySQL 9.7 does this when a client closes without COM_QUIT.
    @Test(arguments: [SessionSettings.OpaquePolicy.allow, .refuse])
    func whatAServerSaysToTheEndOfItsClientIsNoLossOfTheGuard(policy: SessionSettings.OpaquePolicy) async throws {
        let unused = UnusedPort()
        let isOver = Heard()
        let backend = EchoBackend { connection in
            guard connection.acceptMySQLLogin() else { return }
            while connection.receiveMySQLPacket() != nil { connection.sendMySQLOK(sequence: 1) }
            connection.sendMySQLError(4031, "The client was disconnected by the server", sequence: 0)
            isOver.note("over")
        }
        let proxy = try proxy(own: Int(unused.port), failover: backend.port, .mysql, policy)
        let client = try await MySQLClient(proxy)
        #expect(try await client.run("select 1") == 2)
        let lines = proxy.log.lines
        client.connection.endSending()
        #expect(await eventually { isOver.all == ["over"] && proxy.server.sessionCount == 0 })
        #expect(proxy.log.lines == lines)
        #expect(await proxy.server.trafficReport().routes[0].refused == 0)
    }

    private static let faults: [(message: String, play: @Sendable (FaultyServerConnection) -> Void)] = [
        ("server answered 1193: Unknown variable", { $0.sendMySQLError(1193, "Unknown variable", sequence: 1) }),
        ("the server closed the connection", { _ in }),
        ("the server closed the connection", { $0.reset() }),
        ("no answer from the server in time", { $0.holdOpen() }),
        ("unexpected answer from the server", { $0.send([1, 0, 0, 1, 9]) }),
    ]

    @Test(arguments: faults.indices)
    func aMySQLServerThatDoesNotTakeItServesNobodyAndTheClientReadsWhy(fault: Int) async throws {
        let (message, play) = Self.faults[fault]
        let unused = UnusedPort()
        let backend = EchoBackend { connection in
            guard connection.acceptMySQLLogin(), connection.receiveMySQLPacket() != nil else { return }
            play(connection)
            // The proxy must end the connection, unless the server closes it.
            if message != "the server closed the connection" { connection.receiveToEnd() }
        }
        let expected = "HY000slave: cannot make the session on a1 read-only: \(message)"
        func attempt(_ patience: Duration) async throws -> (proxy: ProxyUnderTest, error: String) {
            let proxy = try self.proxy(own: Int(unused.port), failover: backend.port, .mysql, patience: patience)
            let connection = try await proxy.connect()
            _ = try await connection.receive(FaultyServerConnection.mysqlGreeting().count)
            let handshake: [UInt8] = [0x01, 0x02, 0, 0] + [0, 0, 0, 1, 45] + [UInt8](repeating: 0, count: 23)
            try? await connection.send(FaultyServerConnection.mysqlPacket(1, handshake + Array("app\u{0}\u{0}".utf8)))
            return (proxy, String(decoding: try await connection.receive(20_000), as: UTF8.self))
        }
        // Only the silent server needs the time limit to pass, and within it a busy machine must log the client in.
        let (proxy, error) =
            message.contains("in time")
            ? try await patiently(until: { $0.error.contains(expected) }, attempt) : try await attempt(.ample)
        #expect(error.contains(expected), "\(error)")
        #expect(proxy.log.lines.contains("warning slave: client refused, cannot make its session on a1 read-only"))
        #expect(proxy.log.metadata.contains { $0["detail"] == message })
        let isAccused = proxy.failures.contains { $0.kind == .greetingTimeout }
        #expect(isAccused == message.contains("in time"))
    }

    @Test func anEncryptedMySQLSessionIsRefusedAndItsServerLeftByARefusedLogin() async throws {
        let (heard, unused) = (Heard(), UnusedPort())
        let backend = EchoBackend { connection in
            connection.send(FaultyServerConnection.mysqlGreeting(offersTLS: true))
            guard let login = connection.receiveMySQLPacket() else { return heard.note("gone") }
            heard.note(String(decoding: login.dropFirst(32).prefix { $0 != 0 }, as: UTF8.self))
            connection.sendMySQLError(1045, "Access denied", sequence: 2, sqlState: "28000")
            connection.receiveToEnd()
            heard.note("end")
        }
        let proxy = try proxy(own: Int(unused.port), failover: backend.port, .mysql, .refuse)
        let connection = try await proxy.connect()
        let greeting = FaultyServerConnection.mysqlGreeting(offersTLS: true)
        #expect(try await connection.receive(greeting.count) == greeting)
        let request: [UInt8] = [0x01, 0x0a, 0, 0] + [0, 0, 0, 1, 45] + [UInt8](repeating: 0, count: 23)
        try await connection.send(FaultyServerConnection.mysqlPacket(1, request))
        #expect(try await connection.receive(20_000) == TLSAlert.accessDenied)
        #expect(proxy.log.metadata.contains { $0["detail"] == MySQLGuard.whyOpaque })
        #expect(await eventually { heard.all == [MySQLRefusedLogin.user, "end"] })
    }

    @Test func aCompressedMySQLSessionIsRefusedInItsProtocol() async throws {
        let unused = UnusedPort()
        let greeting = MySQLConversation.greeting(.with(0x20))
        let backend = EchoBackend { connection in
            connection.send(FaultyServerConnection.mysqlPacket(0, greeting))
            connection.receiveToEnd()
        }
        let proxy = try proxy(own: Int(unused.port), failover: backend.port, .mysql, .refuse)
        let connection = try await proxy.connect()
        _ = try await connection.receive(greeting.count + 4)
        let handshake = MySQLConversation.handshake(.with(0x20))
        try await connection.send(FaultyServerConnection.mysqlPacket(1, handshake))
        let error = try await connection.receive(20_000)
        #expect(error.dropFirst(3).first == 2)
        #expect(String(decoding: error, as: UTF8.self).contains("read_only_opaque: refuse"))
    }

    @Test func anEncryptedMySQLSessionPassesWhereThatIsAllowed() async throws {
        let unused = UnusedPort()
        let backend = EchoBackend { connection in
            connection.send(FaultyServerConnection.mysqlGreeting(offersTLS: true))
            _ = connection.receiveMySQLPacket()
            guard let hello = connection.receive(exactly: 10) else { return }
            connection.send(hello)
            connection.receiveToEnd()
        }
        let proxy = try proxy(own: Int(unused.port), failover: backend.port, .mysql)
        let connection = try await proxy.connect()
        _ = try await connection.receive(FaultyServerConnection.mysqlGreeting(offersTLS: true).count)
        let request: [UInt8] = [0x01, 0x0a, 0, 0] + [0, 0, 0, 1, 45] + [UInt8](repeating: 0, count: 23)
        try await connection.send(FaultyServerConnection.mysqlPacket(1, request))
        let hello: [UInt8] = [0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]
        try await connection.send(hello)
        #expect(try await connection.receive(10) == hello)
        #expect(proxy.log.lines.contains { $0.contains("served without the read-only guard") })
    }

    // MARK: PostgreSQL

    /// Serves PostgreSQL and records the first message.
    private func postgres(_ heard: Heard, agrees: Bool = false) -> EchoBackend {
        EchoBackend { connection in
            while let length = connection.receive(exactly: 4),
                let body = connection.receive(exactly: Int(length[3]) + Int(length[2]) << 8 - 4)
            {
                if body.prefix(3) == [0x04, 0xd2, 0x16] {
                    heard.note("encryption")
                    connection.send([UInt8(ascii: agrees ? "S" : "N")])
                    continue
                }
                heard.note(String(decoding: body.dropFirst(4), as: UTF8.self))
                connection.sendPostgresWelcome()
                connection.receiveToEnd()
                return
            }
        }
    }

    @Test func onlyTheFailoverAliasGetsAnotherStartupMessage() async throws {
        let (own, failover) = (Heard(), Heard())
        let replica = EchoBackend { connection in
            _ = connection.receivePostgresStartup()
            own.note("asked")
        }
        let primary = postgres(failover)
        let proxy = try proxy(own: replica.port, failover: primary.port, .postgres)
        let client = try await PostgresClient(proxy)
        _ = client
        #expect(own.all == ["asked"])
        #expect(failover.all == ["user\u{0}app\u{0}default_transaction_read_only\u{0}on\u{0}\u{0}"])
        proxy.board.pin(route: 0, to: nil)
        let direct = Heard()
        let back = postgres(direct)
        let other = try self.proxy(own: back.port, failover: primary.port, .postgres)
        _ = try await PostgresClient(other)
        #expect(direct.all == ["user\u{0}app\u{0}\u{0}"])
    }

    /// A reload exchanged the roles of the aliases after the client had connected.
    @Test func whoHasNotSpokenYetIsGuardedByTheCurrentRoutes() async throws {
        let heard = [Heard(), Heard()]
        let backends = heard.map { postgres($0) }
        let proxy = try proxy(own: backends[0].port, failover: backends[1].port, .postgres)
        let own = try await proxy.connect()
        let other = try await proxy.connect()
        #expect(await eventually { await proxy.server.usedPositions()?.aliases == [0, 1] })
        proxy.board.change(aliases: proxy.board.table.aliases, routes: [Route(name: "slave", aliases: [1, 0])])
        _ = try await PostgresClient(own)
        #expect(heard[1].all == ["user\u{0}app\u{0}\u{0}"])
        proxy.board.markDown(alias: 1, because: PingFailure(.refused, "down"))
        _ = try await PostgresClient(other)
        #expect(heard[0].all == ["user\u{0}app\u{0}default_transaction_read_only\u{0}on\u{0}\u{0}"])
    }

    @Test func anEncryptedPostgreSQLSessionIsRefusedInThePlaceOfTheServersAnswer() async throws {
        let (unused, heard) = (UnusedPort(), Heard())
        let primary = postgres(heard, agrees: true)
        let proxy = try proxy(own: Int(unused.port), failover: primary.port, .postgres, .refuse)
        let connection = try await proxy.connect()
        try await connection.send(PostgresWire.sslRequest)
        let answer = try await connection.receive(20_000)
        #expect(answer.first == UInt8(ascii: "E"))
        let error = PostgresErrorResponse(body: answer.dropFirst(5))
        #expect(error?.sqlState == "57P03")
        #expect(error?.message.contains("a1: \(ReadOnlyGuard.whyEncrypted)") == true)
        #expect(proxy.log.metadata.contains { $0["aliases"]?.contains(ReadOnlyGuard.whyEncrypted) == true })
        #expect(!proxy.failures.contains { $0.alias == 1 })
    }

    @Test func aStartupMessageWithoutRoomIsRefusedInClearWords() async throws {
        let (unused, heard) = (UnusedPort(), Heard())
        let primary = postgres(heard)
        let proxy = try proxy(own: Int(unused.port), failover: primary.port, .postgres)
        let connection = try await proxy.connect()
        let body =
            [0, 3, 0, 0] + Array("user\u{0}app\u{0}options\u{0}".utf8) + [UInt8](repeating: 32, count: 9960) + [0, 0]
        let length = body.count + 4
        try await connection.send([0, 0, UInt8(length >> 8), UInt8(length & 0xff)] + body)
        let error = PostgresErrorResponse(body: try await connection.receive(20_000).dropFirst(5))
        #expect(error?.message.contains("has no room for default_transaction_read_only") == true)
        #expect(heard.all == [])
    }
}

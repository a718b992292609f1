import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("A MySQL session belongs to a server only after its greeting", .timeLimit(.minutes(5)), .explained)
struct MySQLProofTests {
    private static let greeting = FaultyServerConnection.mysqlGreeting()

    private static let faults =
        [
            ServerFault("closes at once", .earlyClose) { _ in },
            ServerFault("accepts and is silent", .greetingTimeout) { $0.holdOpen() },
            ServerFault("half a greeting, then silence", .greetingTimeout) {
                $0.send([0x4a, 0, 0])
                $0.holdOpen()
            },
            ServerFault("half a greeting, then a close", .earlyClose) { $0.send([0x4a, 0, 0]) },
            ServerFault("resets", .reset) { $0.reset() },
            ServerFault("speaks another protocol", .earlyClose) {
                $0.send(Array("HTTP/1.0 400 Bad Request\r\n".utf8))
                $0.receiveToEnd()
            },
        ]
        + [
            (1040 as UInt16, BackendErrorKind.tooManyConnections), (1053, .serverShutdown), (1129, .hostBlocked),
            (1130, .hostBlocked),
        ].map { code, kind in
            ServerFault("refuses with \(code)", kind) { $0.sendMySQLError(code, "not now") }
        }

    /// Healthy: sends a greeting and answers logins and queries.
    private let primary = EchoBackend { $0.serveMySQL() }

    private func proxy(replica: Int, limit: Duration = .ample) throws -> ProxyUnderTest {
        try ProxyUnderTest(
            ports: [replica, primary.port], engine: .mysql,
            session: SessionSettings(connectTimeout: limit, greetingTimeout: limit, drainRate: 1000))
    }

    @Test(arguments: faults)
    func aFaultCostsTheClientAWaitAndNoError(_ fault: ServerFault) async throws {
        let replica = EchoBackend(play: fault.play)
        let served = try await fault.played { (served: Served<[UInt8]>) in
            served.said == Self.greeting
        } _: { limit in
            let connections = replica.connections
            let proxy = try proxy(replica: replica.port, limit: limit)
            let said = try await proxy.connect().receive(Self.greeting.count)
            #expect(await eventually { replica.connections == connections + 1 })
            await proxy.server.stop(grace: .zero)
            return Served(said: said, failures: proxy.failures)
        }
        #expect(served.said == Self.greeting)
        #expect(served.failures.map(\.alias) == [0])
        // A reset may arrive before the connection attempt is complete, and is then reported as a reset.
        let kinds = fault.kind == .reset ? [.reset, .earlyClose] : [fault.kind]
        #expect(kinds.contains(try #require(served.failures.first).kind))
    }

    @Test func whenNothingIsUpTheClientIsToldInPlaceOfTheGreeting() async throws {
        let full = EchoBackend { $0.sendMySQLError(1040, "Too many connections") }
        let proxy = try ProxyUnderTest(ports: [full.port], engine: .mysql)
        let said = try await proxy.connect().receive(1000)
        let packet = said.withUnsafeBytes(MySQLFirstPacket.init)
        #expect(
            packet
                == .error(code: 1105, message: "slave: no server can serve this: a0: 1040: Too many connections"))
        await proxy.server.stop(grace: .zero)
    }

    @Test func whoIsOneTooManyIsToldSo() async throws {
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: primary.port)]], maxConnections: 1, engine: .mysql)
        let first = try await proxy.connect()
        #expect(try await first.receive(Self.greeting.count) == Self.greeting)
        let said = try await proxy.connect().receive(1000)
        #expect(said.withUnsafeBytes(MySQLFirstPacket.init) == .error(code: 1040, message: "slave: too many sessions"))
        await proxy.server.stop(grace: .zero)
    }

    // MARK: When the route changes

    @Test func whoWaitsForAnAnswerOfAServerThatIsDownReadsWhy() async throws {
        let asked = Heard()
        let silent = EchoBackend { client in
            guard client.acceptMySQLLogin(), client.receiveMySQLPacket() != nil else { return }
            asked.add(1)
            client.holdOpen()
        }
        let proxy = try proxy(replica: silent.port)
        let client = try await MySQLClient(proxy)
        try await client.send(query: "select 1")
        #expect(await eventually { asked.numbers == [1] })
        proxy.board.markDown(alias: 0, because: PingFailure(.refused, "down"))
        let packet = try await client.packet()
        #expect(packet?.sequence == 1)
        #expect(packet?.body.starts(with: [0xff, UInt8(1053 & 0xff), UInt8(1053 >> 8)] + Array("#08S01".utf8)) == true)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aTransactionIsNotCutAndItsSessionMovesAfterIt() async throws {
        let proxy = try proxy(replica: primary.port)
        proxy.board.markDown(alias: 0, because: PingFailure(.refused, "down"))
        let client = try await MySQLClient(proxy)
        #expect(try await client.run("begin") == 0x0003)
        proxy.board.markUp(alias: 0)
        for _ in 0..<20 { #expect(try await client.run("update") == 0x0003) }
        #expect(try await client.run("commit") == 0x0002)
        #expect(try await client.packet() == nil)
        await proxy.server.stop(grace: .zero)
    }
}

import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("A PostgreSQL session belongs to a server only after its proof", .timeLimit(.minutes(5)), .explained)
struct PostgresProofTests {
    private typealias Wire = PostgresWire

    private static let faults =
        [
            ServerFault("closes at once", .earlyClose) { _ in },
            ServerFault("closes after the startup", .earlyClose) { $0.receivePostgresStartup() },
            ServerFault("accepts and is silent", .greetingTimeout) { $0.holdOpen() },
            ServerFault("half an answer, then silence", .greetingTimeout) {
                $0.receivePostgresStartup()
                $0.send(Array(PostgresWire.error("57P03").prefix(9)))
                $0.holdOpen()
            },
            ServerFault("resets", .reset) {
                $0.receive()
                $0.reset()
            },
        ]
        + [
            ("57P01", BackendErrorKind.serverShutdown), ("57P02", .serverShutdown), ("57P03", .serverShutdown),
            ("53300", .tooManyConnections),
        ].map { code, kind in
            ServerFault("refuses with \(code)", kind) {
                $0.receivePostgresStartup()
                $0.sendPostgresError(code, "not now")
            }
        }

    /// Healthy: accepts every login and sends its name.
    private let primary = EchoBackend { client in
        client.receivePostgresStartup()
        client.sendPostgresWelcome()
        client.send(Array("primary".utf8))
        client.receiveToEnd()
    }

    private func proxy(
        replica: Int, connectTimeout: Duration = .ample, greetingTimeout: Duration = .ample
    ) throws -> ProxyUnderTest {
        try ProxyUnderTest(
            ports: [replica, primary.port], engine: .postgres,
            session: SessionSettings(connectTimeout: connectTimeout, greetingTimeout: greetingTimeout))
    }

    /// The bytes of `sendPostgresWelcome`.
    private static let welcome =
        Wire.message("R", [0, 0, 0, 0]) + Wire.message("S", Array("server_version\u{0}15.0\u{0}".utf8))
        + Wire.message("K", [0, 0, 0, 1, 0, 0, 0, 2]) + Wire.ready("I")

    private static let welcomeOfPrimary = welcome + Array("primary".utf8)

    /// What a client receives when it logs in.
    private func start(_ client: TCPClient) async throws -> [UInt8] {
        try await client.send(Wire.startup())
        return try await client.receive(Self.welcomeOfPrimary.count)
    }

    private func startsOnPrimary(_ client: TCPClient) async throws {
        #expect(try await start(client) == Self.welcomeOfPrimary)
    }

    @Test(arguments: faults)
    func aFaultCostsTheClientAWaitAndNoError(_ fault: ServerFault) async throws {
        let replica = EchoBackend(play: fault.play)
        let served = try await fault.played { (served: Served<[UInt8]>) in
            served.said == Self.welcomeOfPrimary
        } _: { limit in
            let connections = replica.connections
            let proxy = try proxy(replica: replica.port, connectTimeout: limit, greetingTimeout: limit)
            let said = try await start(try await proxy.connect())
            #expect(await eventually { replica.connections == connections + 1 })
            await proxy.server.stop(grace: .zero)
            return Served(said: said, failures: proxy.failures)
        }
        #expect(served.said == Self.welcomeOfPrimary)
        #expect(served.failures.map(\.alias) == [0])
        // A close may arrive before the proxy has sent its bytes, and is then a reset.
        let kinds = fault.kind == .earlyClose ? [fault.kind, .reset] : [fault.kind]
        #expect(kinds.contains(try #require(served.failures.first).kind))
    }

    /// The error's length ends it before its fields begin.
    @Test func anErrorWithoutABodyEndsThatSessionAndNoOther() async throws {
        let error: [UInt8] = [UInt8(ascii: "E"), 0, 0, 0, 4]
        let replica = EchoBackend { client in
            client.receivePostgresStartup()
            client.send(error)
        }
        let proxy = try proxy(replica: replica.port)
        for _ in 0..<2 {
            let client = try await proxy.connect()
            try await client.send(Wire.startup())
            #expect(try await client.receive(error.count) == error)
        }
        await proxy.server.stop(grace: .zero)
    }

    @Test func aServerThatIsSilentIsLookedAtBeforeItsTimeIsOver() async throws {
        let silent = EchoBackend { $0.holdOpen() }
        let proxy = try proxy(replica: silent.port, connectTimeout: .seconds(10), greetingTimeout: .seconds(3600))
        let client = try await proxy.connect()
        try await client.send(Wire.startup())
        #expect(await eventually { proxy.doubtful == [0] })
        #expect(proxy.failures.isEmpty)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aRefusedConnectionAndOneThatIsSwallowedAreNoErrorEither() async throws {
        let (unused, swallowing) = (UnusedPort(), SwallowingServer())
        for (port, kind) in [(unused.port, BackendErrorKind.connectRefused), (swallowing.port, .connectTimeout)] {
            // The limit must pass for the swallowing server, and a busy machine must connect to the other server
            // within it.
            let served = try await patiently(.milliseconds(100)) { (served: Served<[UInt8]>) in
                served.said == Self.welcomeOfPrimary
            } _: { limit in
                let proxy = try proxy(replica: Int(port), connectTimeout: limit)
                let said = try await start(try await proxy.connect())
                await proxy.server.stop(grace: .zero)
                return Served(said: said, failures: proxy.failures)
            }
            #expect(served.said == Self.welcomeOfPrimary)
            #expect(served.failures.map(\.kind) == [kind])
        }
    }

    @Test func aServerThatAgreesToEncryptionAndClosesIsReplacedBeforeTheClientNotices() async throws {
        let replica = EchoBackend { client in
            _ = client.receive(exactly: 8)
            client.send(Array("S".utf8))
            // Closing with these bytes unread would be a reset.
            _ = client.receive(exactly: Wire.hello.count)
        }
        let primary = EchoBackend { client in
            guard client.receive(exactly: 8) == Wire.sslRequest else { return }
            client.send(Array("S".utf8))
            guard client.receive(exactly: Wire.hello.count) == Wire.hello else { return }
            client.send(Wire.serverHello)
            client.receiveToEnd()
        }
        let proxy = try ProxyUnderTest(ports: [replica.port, primary.port], engine: .postgres)
        let client = try await proxy.connect()
        try await client.send(Wire.sslRequest)
        #expect(try await client.receiveText(1) == "S")
        try await client.send(Wire.hello)
        #expect(try await client.receive(Wire.serverHello.count) == Wire.serverHello)
        #expect(proxy.failures.map(\.kind) == [.earlyClose])
        await proxy.server.stop(grace: .zero)
    }

    @Test(arguments: [PostgresWire.sslRequest, PostgresWire.gssRequest])
    func aClientWhoIsDeniedEncryptionGoesOnInClear(request: [UInt8]) async throws {
        let proxy = try proxy(replica: primary.port)
        let client = try await proxy.connect()
        try await client.send(request)
        #expect(try await client.receiveText(1) == "N")
        try await startsOnPrimary(client)
        #expect(proxy.failures.isEmpty)
        await proxy.server.stop(grace: .zero)
    }

    @Test func whatEveryServerHangsUpOnAccusesNone() async throws {
        let (first, second) = (EchoBackend { $0.receive() }, EchoBackend { $0.receive() })
        let proxy = try ProxyUnderTest(ports: [first.port, second.port], engine: .postgres)
        let client = try await proxy.connect()
        try await client.send(Wire.hello)
        #expect(try await client.drain() == 0)
        #expect(first.connections == 1)
        #expect(second.connections == 1)
        #expect(proxy.failures.isEmpty)
        await proxy.server.stop(grace: .zero)
    }

    @Test func garbageReachesNoServer() async throws {
        let proxy = try proxy(replica: primary.port)
        let client = try await proxy.connect()
        try await client.send("GET / HTTP/1.1\r\n\r\n")
        #expect(try await client.drain() == 0)
        #expect(primary.connections == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test func whoSaysNothingIsClosedAndCostsNoServerAnything() async throws {
        let proxy = try ProxyUnderTest(
            ports: [primary.port], engine: .postgres,
            session: SessionSettings(clientStartupTimeout: .milliseconds(50)))
        #expect(try await proxy.connect().drain() == 0)
        #expect(primary.connections == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aClientThatFindsAllServersDrainedReadsSo() async throws {
        let proxy = try ProxyUnderTest(ports: [1, 1], engine: .postgres)
        for alias in 0...1 { proxy.board.setDraining(alias: alias, true) }
        let client = try await proxy.connect()
        try await client.send(Wire.startup())
        let error = PostgresErrorResponse(body: try await client.receive(10_000).dropFirst(5))
        #expect(error?.message == "slave: no server can serve this: a0: drained; a1: drained")
        #expect(proxy.log.metadata.last?["aliases"] == "a0: drained; a1: drained")
        await proxy.server.stop(grace: .zero)
    }

    @Test func whenNothingIsUpTheClientIsToldInItsOwnProtocol() async throws {
        let unused = UnusedPort()
        let proxy = try ProxyUnderTest(ports: [Int(unused.port), 1], engine: .postgres)
        proxy.board.markDown(alias: 1, because: PingFailure(.wrongRole, "10.0.0.1:5432: no"))
        let client = try await proxy.connect()
        try await client.send(Wire.sslRequest)
        #expect(try await client.receiveText(1) == "N")
        try await client.send(Wire.startup())
        let said = try await client.receive(10_000)
        let error = PostgresErrorResponse(body: said.dropFirst(5))
        #expect(error?.sqlState == "57P03")
        #expect(error?.message == "slave: no server can serve this: a1: wrong role; a0: Connection refused")
        await proxy.server.stop(grace: .zero)
    }

    @Test func whoIsOneTooManyIsToldSo() async throws {
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: primary.port)]], maxConnections: 1, engine: .postgres)
        let first = try await proxy.connect()
        try await startsOnPrimary(first)
        let second = try await proxy.connect()
        try await second.send(Wire.startup())
        let error = PostgresErrorResponse(body: try await second.receive(10_000).dropFirst(5))
        #expect(error?.sqlState == "53300")
        #expect(primary.connections == 1)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aCancelRequestGoesToTheServerThatGaveOutItsKey() async throws {
        let heard = Heard()
        let servers = (0..<3).map { number in
            EchoBackend { client in
                guard let first = client.receive(exactly: 16) else { return }
                guard first == PostgresWire.cancel(process: 1, secret: 2) else {
                    client.sendPostgresWelcome()
                    client.receiveToEnd()
                    return
                }
                heard.add(number)
            }
        }
        let proxy = try ProxyUnderTest(ports: servers.map(\.port), engine: .postgres)
        let first = try await proxy.connect()
        try await first.send(Wire.startup())
        #expect(try await first.receive(1).count == 1)
        proxy.board.markDown(alias: 0, because: PingFailure(.refused, "down"))
        _ = try await first.drain()
        proxy.board.markUp(alias: 0)
        proxy.board.setSuspect(alias: 0, true)
        let second = try await proxy.connect()
        try await second.send(Wire.startup())
        #expect(try await second.receive(1).count == 1)

        let cancel = try await proxy.connect()
        try await cancel.send(PostgresWire.cancel(process: 1, secret: 2))
        #expect(try await cancel.drain() == 0)
        // The outage closed the first session, so its server holds no session any more.
        #expect(heard.numbers == [1])
        await proxy.server.stop(grace: .zero)
    }
}

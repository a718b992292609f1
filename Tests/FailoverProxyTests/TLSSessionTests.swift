import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("What sessions have in clear text, where TLS ends at the proxy", .timeLimit(.minutes(5)), .explained)
struct TLSSessionTests {
    private let down = PingFailure(.refused, "down")

    private func servers(_ side: ServerSide) -> [EchoBackend] {
        (0..<2).map { _ in side.serve { $0.servePostgres() } }
    }

    private func proxy(
        _ servers: [EchoBackend], _ side: ServerSide, _ session: SessionSettings = SessionSettings(drainRate: 1000)
    ) throws -> ProxyUnderTest {
        try .terminating(servers.map(\.port), requires: true, serverTLS: side.encryption, session: session)
    }

    // MARK: Closing messages and moves

    enum Occasion: CaseIterable { case outage, recovery, drain, shutdown }

    @Test(arguments: ServerSide.allCases, Occasion.allCases)
    func theClientReadsWhyItsSessionEnds(side: ServerSide, occasion: Occasion) async throws {
        let servers = servers(side)
        let proxy = try proxy(servers, side)
        if occasion == .recovery { proxy.board.markDown(alias: 0, because: down) }
        let client = try await proxy.logIn()
        #expect(try await client.run("select 1") == "I")
        var stopping: Task<Void, Never>?
        switch occasion {
        case .outage: proxy.board.markDown(alias: 0, because: down)
        case .recovery: proxy.board.markUp(alias: 0)
        case .drain: proxy.board.setDraining(alias: 0, true)
        case .shutdown: stopping = Task { await proxy.server.stop(grace: .ample) }
        }
        let error = try await client.error()
        #expect(error?.sqlState == "57P01")
        #expect(try await client.message() == nil)
        #expect(client.connection.hasClosure == true)
        client.connection.endSending()
        if let stopping { await stopping.value } else { await proxy.server.stop(grace: .zero) }
    }

    @Test(arguments: ServerSide.allCases)
    func aTransactionIsNotCutAndItsSessionMovesAfterIt(side: ServerSide) async throws {
        let servers = servers(side)
        let proxy = try proxy(servers, side)
        proxy.board.markDown(alias: 0, because: down)
        let (works, idle) = (try await proxy.logIn(), try await proxy.logIn())
        #expect(try await works.run("begin") == "T")
        proxy.board.markUp(alias: 0)
        #expect(try await idle.error()?.sqlState == "57P01")
        for _ in 0..<20 { #expect(try await works.run("update") == "T") }
        #expect(try await works.run("commit") == "I")
        #expect(try await works.error()?.sqlState == "57P01")
        #expect(try await proxy.logIn().run("select 1") == "I")
        #expect(servers[0].connections == 1)
        #expect(await proxy.traffic.moved == 2)
        await proxy.server.stop(grace: .zero)
    }

    /// Terminate and a closure alert, as libpq and drivers send them.
    @Test func aFarewellAfterTheCloseIsNoLostRequest() async throws {
        let side = ServerSide.inClear
        let servers = servers(side)
        let proxy = try proxy(servers, side)
        for _ in 0..<3 {
            proxy.board.markDown(alias: 0, because: down)
            let client = try await proxy.logIn()
            proxy.board.markUp(alias: 0)
            #expect(try await client.error()?.sqlState == "57P01")
            try await client.connection.send(PostgresWire.message("X"))
            client.connection.endSending()
            #expect(await eventually { proxy.server.sessionCount == 0 })
        }
        #expect(await proxy.traffic.bytesAfterClose == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test(arguments: ServerSide.allCases)
    func aMySQLSessionMovesAtItsBoundary(side: ServerSide) async throws {
        let servers = (0..<2).map { _ in
            EchoBackend { side == .inTLS ? $0.serveMySQL(in: TestTLS.shared.server) : $0.serveMySQL() }
        }
        // In clear, both connections are.
        let proxy = try ProxyUnderTest.terminating(
            servers.map(\.port), engine: .mysql, serverTLS: side.encryption, session: SessionSettings(drainRate: 1000))
        proxy.board.markDown(alias: 0, because: down)
        let client = side == .inTLS ? try await MySQLClient(secured: proxy) : try await MySQLClient(proxy)
        #expect(try await client.run("begin") == 3)
        proxy.board.markUp(alias: 0)
        for _ in 0..<20 { #expect(try await client.run("update") == 3) }
        #expect(try await client.run("commit") == 2)
        #expect(try await client.packet() == nil)
        #expect(servers[1].connections == 1)
        #expect(await proxy.traffic.moved == 1)
        await proxy.server.stop(grace: .zero)
    }

    @Test func anIdleSessionIsToldSo() async throws {
        let side = ServerSide.inTLS
        let error = try await patiently(.milliseconds(200)) {
            $0?.sqlState == "57P05"
        } _: { limit in
            let servers = servers(side)
            let proxy = try proxy(servers, side, SessionSettings(idleTimeout: limit))
            let error = try? await proxy.logIn().error()
            await proxy.server.stop(grace: .zero)
            return error
        }
        #expect(error?.sqlState == "57P05")
    }

    // MARK: Read-only sessions

    private final class Words: Sendable {
        private let notes = Lock<[String]>([])
        var all: [String] { notes.withLock { $0 } }
        func note(_ word: String) { notes.withLock { $0.append(word) } }
    }

    /// A server that notes whether logins set the parameter and then the queries.
    ///
    /// - Parameter accepts: whether it accepts the parameter.
    private func server(_ side: ServerSide, _ heard: Words, accepts: Bool = true) -> EchoBackend {
        side.serve { client in
            guard let length = client.receive(exactly: 4),
                let body = client.receive(exactly: Int(length[2]) << 8 + Int(length[3]) - 4)
            else { return heard.note("gone") }
            let isReadOnly = String(decoding: body, as: UTF8.self).contains("default_transaction_read_only")
            heard.note(isReadOnly ? "read-only" : "plain")
            if isReadOnly, !accepts {
                return client.sendPostgresError(
                    "08P01", "unsupported startup parameter: default_transaction_read_only")
            }
            client.sendPostgresWelcome()
            while let head = client.receive(exactly: 5),
                let body = client.receive(exactly: head[1...].reduce(0) { $0 << 8 | Int($1) } - 4)
            {
                guard head[0] == UInt8(ascii: "Q") else { return }
                heard.note(String(decoding: body.dropLast(), as: UTF8.self))
                client.sendPostgres("C", Array("SET\u{0}".utf8))
                client.sendPostgres("Z", Array("I".utf8))
            }
        }
    }

    @Test(arguments: ServerSide.allCases, [SessionSettings.OpaquePolicy.allow, .refuse])
    func theGuardReachesThem(side: ServerSide, opaque: SessionSettings.OpaquePolicy) async throws {
        let (unused, heard) = (UnusedPort(), Words())
        let server = server(side, heard)
        let proxy = try ProxyUnderTest.terminating(
            [Int(unused.port), server.port], serverTLS: side.encryption,
            session: SessionSettings(failoverReadOnly: true, readOnlyOpaque: opaque))
        #expect(try await proxy.logIn().run("select 1") == "I")
        #expect(heard.all == ["read-only", "select 1"])
        #expect(proxy.lines(with: "without the read-only guard").isEmpty)
        await proxy.server.stop(grace: .zero)
    }

    @Test(arguments: ServerSide.allCases)
    func theGuardByStatementReachesThemBehindAnOldPooler(side: ServerSide) async throws {
        let (unused, heard) = (UnusedPort(), Words())
        let server = server(side, heard, accepts: false)
        let proxy = try ProxyUnderTest.terminating(
            [Int(unused.port), server.port], serverTLS: side.encryption,
            session: SessionSettings(failoverReadOnly: true))
        for _ in 0..<2 { #expect(try await proxy.logIn().run("select 1") == "I") }
        let guarded = ["plain", PostgresGuard.statement, "select 1"]
        #expect(heard.all == ["read-only"] + guarded + guarded)
        await proxy.server.stop(grace: .zero)
    }

    // MARK: Cancel requests and PROXY headers

    @Test(arguments: ServerSide.allCases, [true, false])
    func aCancelRequestIsDelivered(side: ServerSide, isSecured: Bool) async throws {
        let keys = Heard()
        let server = side.serve { client in
            guard let head = client.receive(exactly: 8) else { return }
            if head == Array(PostgresWire.cancel.prefix(8)) {
                if let key = client.receive(exactly: 8) { keys.add(Int(key[3])) }
            } else {
                _ = client.receive(exactly: PostgresWire.startup().count - 8)
                client.sendPostgresWelcome()
                client.receiveToEnd()
            }
        }
        let proxy = try ProxyUnderTest.terminating([server.port], requires: true, serverTLS: side.encryption)
        let holds = try await proxy.logIn()
        for (process, secret) in [(UInt8(9), UInt8(2)), (1, 2)] {
            let cancels = isSecured ? try await proxy.connectSecured() : try await proxy.connect()
            try await cancels.send(PostgresWire.cancel(process: process, secret: secret))
            #expect(try await cancels.drain() == 0)
        }
        #expect(keys.numbers == [1])
        #expect(server.connections == 2)
        _ = consume holds
        await proxy.server.stop(grace: .zero)
    }

    @Test func aBalancersHeaderComesBeforeTLS() async throws {
        let server = ServerSide.inTLS.echo
        let proxy = try ProxyUnderTest.terminating(
            [server.port], requires: true, serverTLS: ServerSide.inTLS.encryption,
            session: SessionSettings(acceptProxy: true))
        let source = try #require(SocketAddress(ip: [192, 0, 2, 1], port: 1000))
        let header = ProxyHeaderVersion.v2.bytes(source: source, destination: source)
        for isDirect in [false, true] {
            let client = try await proxy.connect()
            try await client.send(Array(header.prefix(7)))
            try await client.send(Array(header.dropFirst(7)))
            try await client.secure(isDirect: isDirect)
            _ = try await PostgresClient(client)
            #expect(await proxy.server.sessions(SessionQuery(limit: 1)).first?.client == source.description)
            client.endSending()
            #expect(try await client.drain() == 0)
            #expect(await eventually { proxy.server.sessionCount == 0 })
        }
        await proxy.server.stop(grace: .zero)
    }
}

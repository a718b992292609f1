import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Which endings accuse a server", .timeLimit(.minutes(5)))
struct AccusationTests {
    /// The failures that are reported for a server with this script, for a client that logs in and sends something.
    private func told(
        _ engine: DatabaseServer.Engine = .postgres, saying: [UInt8] = [],
        _ play: @escaping @Sendable (FaultyServerConnection) -> Void
    ) async throws -> [BackendFailure] {
        let backend = EchoBackend { client in
            guard engine == .postgres else { return play(client) }
            client.receivePostgresStartup()
            play(client)
        }
        let proxy = try ProxyUnderTest(ports: [backend.port], engine: engine)
        try await converse(with: proxy, engine, saying: saying)
        #expect(await eventually { proxy.server.sessionCount == 0 })
        await proxy.server.stop(grace: .zero)
        return proxy.failures
    }

    /// Connects, sends `saying` and leaves after the server has.
    private func converse(
        with proxy: ProxyUnderTest, _ engine: DatabaseServer.Engine, saying: [UInt8]
    ) async throws {
        let client = try await proxy.connect()
        if engine == .postgres { try await client.send(PostgresWire.startup()) }
        if !saying.isEmpty {
            #expect(try await client.receive(1).count == 1)
            try await client.send(saying)
        }
        _ = try? await client.drain()
    }

    private static let query = PostgresWire.query("select 1")

    @Test func aResetInTheMiddleOfAnAnswerDoes() async throws {
        let told = try await told(saying: Self.query) { client in
            client.sendPostgresWelcome()
            client.receive(atLeast: Self.query.count)
            client.sendPostgres("D", [0, 0])
            client.reset()
        }
        #expect(told.map(\.kind) == [.reset])
        #expect(told.map(\.session) == [1])
    }

    @Test func aResetOfAnIdleSessionDoesNot() async throws {
        let told = try await told { client in
            client.sendPostgresWelcome()
            client.reset()
        }
        #expect(told.isEmpty)
    }

    @Test func aResetBehindAnErrorDoesNot() async throws {
        let told = try await told(saying: Self.query) { client in
            client.sendPostgresWelcome()
            client.receive(atLeast: Self.query.count)
            client.sendPostgresError("57P05", "terminating connection due to idle-session timeout")
            client.reset()
        }
        #expect(told.isEmpty)
    }

    @Test func aResetAfterAWrongPasswordAndJunkDoesNot() async throws {
        let told = try await told(saying: Array("junk".utf8)) { client in
            client.sendPostgres("R", [0, 0, 0, 5, 1, 2, 3, 4])
            client.receive()
            client.sendPostgresError("28P01", "password authentication failed")
            client.reset()
        }
        #expect(told.isEmpty)
    }

    @Test func aRecoveryConflictDoesNot() async throws {
        let told = try await told(saying: Self.query) { client in
            client.sendPostgresWelcome()
            client.receive(atLeast: Self.query.count)
            client.sendPostgresError("40001", "terminating connection due to conflict with recovery")
        }
        #expect(told.isEmpty)
    }

    /// The message for one session and for all is the same, so the observer decides by the number of sessions.
    @Test func aTerminatedSessionIsToldOnceWithItsNumber() async throws {
        let told = try await told { client in
            client.sendPostgresWelcome()
            client.sendPostgresError("57P01", "terminating connection due to administrator command")
        }
        #expect(told.map(\.kind) == [.serverShutdown])
        #expect(told.map(\.session) == [1])
    }

    @Test(arguments: [53_300, 1040])
    func aLoginThatFoundNoPlaceTellsThatTheServerIsFull(code: Int) async throws {
        let told =
            code == 1040
            ? try await told(.mysql, saying: Self.handshake) { client in
                client.send(FaultyServerConnection.mysqlGreeting())
                _ = client.receiveMySQLPacket()
                client.sendMySQLError(1040, "Too many connections", sequence: 2)
            }
            : try await told(saying: PostgresWire.message("p", Array("md5\u{0}".utf8))) { client in
                client.sendPostgres("R", [0, 0, 0, 5, 1, 2, 3, 4])
                client.receive()
                client.sendPostgres("R", [0, 0, 0, 0])
                client.sendPostgresError("53300", "remaining connection slots are reserved")
            }
        #expect(told.map(\.kind) == [.tooManyConnections])
    }

    private static let handshake = FaultyServerConnection.mysqlPacket(
        1, [0x01, 0x02, 0, 0] + [0, 0, 0, 1, 45] + [UInt8](repeating: 0, count: 23) + Array("app\u{0}\u{0}".utf8))

    /// `wait_timeout`: MariaDB closes, and a client that has not noticed it yet is reset.
    @Test func aResetOfAMySQLSessionThatItsServerHasEndedDoesNot() async throws {
        let told = try await told(.mysql, saying: Self.handshake) { client in
            guard client.send(FaultyServerConnection.mysqlGreeting()), client.receiveMySQLPacket() != nil else {
                return
            }
            client.sendMySQLOK(sequence: 2)
            client.reset()
        }
        #expect(told.isEmpty)
    }

    @Test func aServerOfAnUnknownProtocolMayCloseOnWhatItWasTold() async throws {
        let backend = EchoBackend { $0.receive() }
        let proxy = try ProxyUnderTest(ports: [backend.port])
        do {
            let client = try await proxy.connect()
            try await client.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try await client.isLetGo())
        }
        #expect(await eventually { proxy.server.sessionCount == 0 })
        #expect(proxy.failures.isEmpty)
        await proxy.server.stop(grace: .zero)
    }

    @Test func halfAClientHelloAccusesNobodyAndEndsWithTheClientsTime() async throws {
        let backend = EchoBackend { client in
            _ = client.receive(exactly: 8)
            client.send(Array("S".utf8))
            client.receiveToEnd()
        }
        /// Whether the client got this far. On a slow machine its time limit or the server's may pass before.
        func saysHalfAHello(_ client: TCPClient, _ proxy: ProxyUnderTest) async throws -> Bool {
            try await client.send(PostgresWire.sslRequest)
            guard try await client.receiveText(1) == "S", proxy.failures.isEmpty else { return false }
            try await client.send(Array(PostgresWire.hello.prefix(7)))
            return true
        }
        let failures = try await patiently {
            $0 != nil
        } _: { limit -> [BackendFailure]? in
            let proxy = try ProxyUnderTest(
                ports: [backend.port], engine: .postgres,
                session: SessionSettings(greetingTimeout: limit / 15, clientStartupTimeout: limit))
            let client = try await proxy.connect()
            let isFar = (try? await saysHalfAHello(client, proxy)) ?? false
            if isFar { #expect(try await client.drain() == 0) }
            await proxy.server.stop(grace: .zero)
            return isFar ? proxy.failures : nil
        }
        #expect(failures?.isEmpty == true)
    }
}

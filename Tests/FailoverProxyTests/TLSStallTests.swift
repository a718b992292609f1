import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Clients that stall while TLS begins", .timeLimit(.minutes(5)), .explained)
struct TLSStallTests {
    /// Where a client of PostgreSQL stops.
    enum Step: CaseIterable {
        case connected, halfRequest, answered, halfHello, halfDirectHello, secured, halfStartup
    }

    private static let halfHello: [UInt8] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]

    private func stall(_ proxy: ProxyUnderTest, at step: Step, from lastByte: UInt8? = nil) async throws -> TCPClient {
        let client = try await proxy.connect(from: lastByte)
        switch step {
        case .connected: break
        case .halfRequest: try await client.send(Array(PostgresWire.sslRequest.prefix(5)))
        case .halfDirectHello: try await client.send(Self.halfHello)
        case .answered, .halfHello:
            try await client.send(PostgresWire.sslRequest)
            guard try await client.receiveText(1) == "S" else { throw TCPClient.Failure(call: "S", code: 0) }
            if step == .halfHello { try await client.send(Self.halfHello) }
        case .secured, .halfStartup:
            try await client.secure()
            if step == .halfStartup { try await client.send(Array(PostgresWire.startup().prefix(9))) }
        }
        return client
    }

    /// A slow machine may not complete an honest handshake within the limit, so several clients try.
    private func inTheEnd(_ attempt: @escaping @Sendable () async throws -> Bool) async -> Bool {
        await eventually { (try? await attempt()) ?? false }
    }

    @Test(arguments: Step.allCases)
    func areClosedAfterClientStartupTimeoutAndTheNextOneHasItsTurn(step: Step) async throws {
        let backend = ServerSide.inClear.echo
        let proxy = try ProxyUnderTest.terminating(
            [backend.port], requires: true, maxHandshakes: 1,
            session: SessionSettings(clientStartupTimeout: .milliseconds(500)))
        let isClosed = await inTheEnd { try await self.stall(proxy, at: step).isEnded() }
        #expect(isClosed)
        let isServed = await inTheEnd {
            let client = PostgresClient(connected: try await proxy.connectSecured())
            try await client.connection.send(PostgresWire.startup())
            return try await client.readyForQuery() == "I"
        }
        #expect(isServed)
        #expect(await eventually { proxy.server.sessionCount == 0 })
        await proxy.server.stop(grace: .zero)
    }

    /// Where a client of MySQL stops.
    enum MySQLStep: CaseIterable {
        case greeted, halfRequest, requested, halfHello, secured, halfLogin
    }

    private func stall(_ proxy: ProxyUnderTest, at step: MySQLStep) async throws -> TCPClient {
        let client = MySQLClient(connected: try await proxy.connect())
        guard try await client.packet() != nil else { throw TCPClient.Failure(call: "greeting", code: 0) }
        let request = MySQLClient.tlsRequest
        switch step {
        case .greeted: break
        case .halfRequest: try await client.connection.send(Array(request.prefix(20)))
        case .requested: try await client.connection.send(request)
        case .halfHello: try await client.connection.send(request + Self.halfHello)
        case .secured, .halfLogin:
            try await client.connection.send(request)
            try await client.connection.beginTLS(TestTLS.shared.client)
            if step == .halfLogin { try await client.connection.send(Array(MySQLClient.tlsLogin.prefix(20))) }
        }
        return client.connection
    }

    @Test(arguments: MySQLStep.allCases)
    func ofMySQLAreClosedToo(step: MySQLStep) async throws {
        let backend = EchoBackend { $0.serveMySQL(in: TestTLS.shared.server) }
        let proxy = try ProxyUnderTest.terminating(
            [backend.port], engine: .mysql, maxHandshakes: 1, serverTLS: ServerSide.inTLS.encryption,
            session: SessionSettings(clientStartupTimeout: .milliseconds(500)))
        let isClosed = await inTheEnd { try await self.stall(proxy, at: step).isEnded() }
        #expect(isClosed)
        let isServed = await inTheEnd { try await MySQLClient(secured: proxy).run("select 1") == 2 }
        #expect(isServed)
        #expect(await eventually { proxy.server.sessionCount == 0 })
        await proxy.server.stop(grace: .zero)
    }

    @Test func ofOneSourceDoNotKeepAnotherSourceOut() async throws {
        let backend = ServerSide.inClear.echo
        let proxy = try ProxyUnderTest.terminating([backend.port], requires: true, maxHandshakes: 2)
        var first: TCPClient? = try await stall(proxy, at: .answered, from: 1)
        var waiting: [TCPClient] = []
        for number in 1...3 {
            let client = try await proxy.connect(from: 1)
            try await client.send(PostgresWire.sslRequest)
            waiting.append(client)
            // The proxy has read its request.
            #expect(
                await eventually {
                    await proxy.server.sessions(SessionQuery(limit: 10)).filter { $0.fromClient == 8 }.count
                        == number + 1
                })
        }
        let other = try await PostgresClient(proxy.connectSecured(from: 2))
        try await other.connection.send("hello")
        #expect(try await other.connection.receiveText(5) == "hello")
        for client in waiting { #expect(client.hasNothing) }
        // One that leaves while it waits has no turn.
        waiting.removeFirst().resetOnClose()
        #expect(await eventually { proxy.server.sessionCount == 4 })
        first?.resetOnClose()
        first = nil
        for client in waiting {
            #expect(try await client.receiveText(1) == "S")
            try await client.beginTLS(TestTLS.shared.client)
            try await client.send(PostgresWire.startup())
            #expect(try await PostgresClient(connected: client).readyForQuery() == "I")
        }
        #expect(await proxy.traffic.handshakes == 3)
        await proxy.server.stop(grace: .zero)
    }

    @Test func ofTwoSourcesMakeRoomForAThird() async throws {
        let backend = ServerSide.inClear.echo
        let proxy = try ProxyUnderTest.terminating(
            [backend.port], requires: true, maxHandshakes: 2, longestHandshake: .milliseconds(200))
        let stalled = [
            try await stall(proxy, at: .answered, from: 1), try await stall(proxy, at: .halfHello, from: 2),
        ]
        let third = try await PostgresClient(proxy.connectSecured(from: 3))
        try await third.connection.send("hello")
        #expect(try await third.connection.receiveText(5) == "hello")
        // One place was enough.
        #expect(await eventually { proxy.server.sessionCount == 2 })
        #expect(await proxy.traffic.failedHandshakes == 1)
        withExtendedLifetime(stalled) {}
        await proxy.server.stop(grace: .zero)
    }
}

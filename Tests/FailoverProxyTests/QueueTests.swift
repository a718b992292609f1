import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Clients that wait for a connection slot", .timeLimit(.minutes(5)))
struct QueueTests {
    private let backend = EchoBackend(greeting: "r:")

    private func proxy(
        maxConnections: Int? = nil, aliasLimits: [Int?]? = nil, timeout: Duration? = .seconds(100)
    ) throws -> ProxyUnderTest {
        try ProxyUnderTest(
            backends: [[.loopback(port: backend.port)]], maxConnections: maxConnections, aliasLimits: aliasLimits,
            session: SessionSettings(queueTimeout: timeout))
    }

    private func queued(_ proxy: ProxyUnderTest) async -> Int {
        await proxy.server.trafficReport().routes[0].queued
    }

    @Test(arguments: [true, false])
    func areServedInOrderOfArrivalOverAllLoops(ofRoute: Bool) async throws {
        let proxy = try ofRoute ? proxy(maxConnections: 1) : proxy(aliasLimits: [1])
        var holder: TCPClient? = try await proxy.connect()
        #expect(try await holder?.receiveText(2) == "r:")
        var waiting: [TCPClient] = []
        for count in 1...4 {
            waiting.append(try await proxy.connect())
            #expect(await eventually { await queued(proxy) == count })
        }
        for count in (0..<4).reversed() {
            holder = waiting.removeFirst()
            #expect(try await holder?.receiveText(2) == "r:")
            #expect(await queued(proxy) == count)
        }
        holder = nil
        #expect(await eventually { proxy.server.sessionCount == 0 })
        #expect(try await proxy.whoAnswers() == "r:")
        await proxy.server.stop(grace: .zero)
    }

    @Test func areRefusedWhenNoPlaceIsLeftInTime() async throws {
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: EchoBackend { $0.servePostgres() }.port)]], maxConnections: 1,
            engine: .postgres, session: SessionSettings(queueTimeout: .milliseconds(50)))
        let holder = try await PostgresClient(proxy)
        let client = try await proxy.connect()
        try await client.send(PostgresWire.startup())
        #expect(try await client.receiveText(1) == "E")
        #expect(await queued(proxy) == 0)
        #expect(await proxy.server.trafficReport().routes[0].queueTimeouts == 1)
        #expect(await proxy.server.trafficReport().routes[0].refused == 1)
        #expect(try await holder.run("select 1") == "I")
        await proxy.server.stop(grace: .zero)
    }

    @Test func areForgottenWhenTheyLeave() async throws {
        let proxy = try proxy(maxConnections: 1)
        let holder = try await proxy.connect()
        #expect(try await holder.receiveText(2) == "r:")
        var first: TCPClient? = try await proxy.connect()
        #expect(await eventually { await queued(proxy) == 1 })
        let second = try await proxy.connect()
        #expect(await eventually { await queued(proxy) == 2 })
        _ = consume first
        first = nil
        #expect(await eventually { await queued(proxy) == 1 })
        holder.endSending()
        #expect(try await holder.drain() == 0)
        #expect(try await second.receiveText(2) == "r:")
        await proxy.server.stop(grace: .zero)
    }

    @Test func doNotWaitWhileAnotherAliasHasRoom() async throws {
        let other = EchoBackend(greeting: "o:")
        let proxy = try ProxyUnderTest(
            backends: [backend, other].map { [.loopback(port: $0.port)] }, aliasLimits: [1, 1],
            session: SessionSettings(queueTimeout: .seconds(100)))
        let first = try await proxy.connect()
        #expect(try await first.receiveText(2) == "r:")
        let second = try await proxy.connect()
        #expect(try await second.receiveText(2) == "o:")
        // The third client gets the slot that is free first.
        let third = try await proxy.connect()
        #expect(await eventually { await queued(proxy) == 1 })
        second.endSending()
        #expect(try await second.drain() == 0)
        #expect(try await third.receiveText(2) == "o:")
        first.endSending()
        #expect(try await first.drain() == 0)
        #expect(try await proxy.whoAnswers() == "r:")
        await proxy.server.stop(grace: .zero)
    }

    @Test func areServedByTheAliasThatIsUpThen() async throws {
        let other = EchoBackend(greeting: "o:")
        let proxy = try ProxyUnderTest(
            backends: [backend, other].map { [.loopback(port: $0.port)] }, aliasLimits: [1, nil],
            session: SessionSettings(queueTimeout: .seconds(100)))
        proxy.board.markDown(alias: 1, because: PingFailure(.refused, "no"))
        let holder = try await proxy.connect()
        #expect(try await holder.receiveText(2) == "r:")
        let waiting = try await proxy.connect()
        #expect(await eventually { await queued(proxy) == 1 })
        proxy.board.markUp(alias: 1)
        proxy.board.markDown(alias: 0, because: PingFailure(.refused, "no"))
        #expect(try await waiting.receiveText(2) == "o:")
        await proxy.server.stop(grace: .zero)
    }

    @Test func haveTheirTimeAnewOnceTheyHaveAPlace() async throws {
        let backend = EchoBackend { $0.servePostgres() }
        func answers(within limit: Duration) async throws -> String {
            let proxy = try ProxyUnderTest(
                backends: [[.loopback(port: backend.port)]], maxConnections: 1, engine: .postgres,
                session: SessionSettings(clientStartupTimeout: limit, queueTimeout: .ample))
            let holder = try await PostgresClient(proxy)
            let client = try await proxy.connect()
            try await client.send(PostgresWire.sslRequest)
            #expect(await eventually { await queued(proxy) == 1 })
            // The time limit of this client begins later. When it has passed, so has that of the waiting client.
            #expect(try await proxy.connect().drain() == 0)
            holder.connection.endSending()
            _ = try await holder.connection.drain()
            var answers = try await client.receiveText(1)
            try await client.send(PostgresWire.startup())
            answers += try await client.receiveText(1)
            await proxy.server.stop(grace: .zero)
            return answers
        }
        let given = await patiently(.seconds(1), until: { $0 == "NR" }) { limit in
            do { return try await answers(within: limit) } catch { return "\(error)" }
        }
        #expect(given == "NR")
    }

    @Test func thoseThatAreRefusedHoldNoPlace() async throws {
        let backend = EchoBackend { $0.servePostgres() }
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: backend.port)]], maxConnections: 1, engine: .postgres)
        proxy.board.markDown(alias: 0, because: PingFailure(.refused, "no"))
        let refused = try await proxy.connect()
        try await refused.send(PostgresWire.sslRequest)
        #expect(try await refused.receiveText(1) == "N")
        proxy.board.markUp(alias: 0)
        #expect(try await PostgresClient(proxy).run("select 1") == "I")
        _ = consume refused
        await proxy.server.stop(grace: .zero)
    }

    // MARK: The queue itself

    private final class Woken: Sendable {
        let all = Lock<[UInt64]>([])
        func waiter(_ session: UInt64) -> ConnectionLimit.Waiter {
            ConnectionLimit.Waiter(session: session) { self.all.withLock { $0.append(session) } }
        }
        var sessions: [UInt64] { all.withLock { $0 } }
    }

    @Test func aPlaceGoesToTheFirstInLineAndNotToWhoComesThen() {
        let (line, woken) = (ConnectionLimit(limit: 1), Woken())
        #expect(line.take(orWait: nil) == .taken)
        #expect(line.take(orWait: nil) == .full)
        for session: UInt64 in 1...3 { #expect(line.take(orWait: woken.waiter(session)) == .waits) }
        line.forget(2)
        line.leave()
        #expect(woken.sessions == [1])
        #expect(line.take(orWait: nil) == .full)
        line.leave()
        #expect(woken.sessions == [1, 3])
        line.leave()
        #expect(line.take(orWait: nil) == .taken)
    }

    @Test func aLimitThatIsRaisedWakesThoseThatItHasRoomFor() {
        let (line, woken) = (ConnectionLimit(limit: 1), Woken())
        #expect(line.take(orWait: nil) == .taken)
        for session: UInt64 in 1...3 { #expect(line.take(orWait: woken.waiter(session)) == .waits) }
        line.change(limit: 3)
        #expect(woken.sessions == [1, 2])
        // A lower limit takes no slot away and gives none out.
        line.change(limit: 1)
        line.leave()
        line.leave()
        #expect(woken.sessions == [1, 2])
        line.leave()
        #expect(woken.sessions == [1, 2, 3])
    }

    @Test func theLineIsBounded() {
        let (line, woken) = (ConnectionLimit(limit: 1), Woken())
        #expect(line.take(orWait: nil) == .taken)
        for session in 0..<UInt64(ConnectionLimit.longestLine) {
            #expect(line.take(orWait: woken.waiter(session)) == .waits)
        }
        #expect(line.take(orWait: woken.waiter(5000)) == .full)
    }
}

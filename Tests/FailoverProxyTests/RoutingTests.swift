import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
import Testing

@testable import FailoverProxy

@Suite("Where sessions go", .timeLimit(.minutes(5)), .explained)
struct RoutingTests {
    private let down = PingFailure(.refused, "down")

    @Test func aClientThatSpeaksAfterAnOutageIsNotLedToTheServerThatWasUpWhenItCame() async throws {
        let backends = [EchoBackend { $0.servePostgres() }, EchoBackend { $0.servePostgres() }]
        let proxy = try ProxyUnderTest(ports: backends.map(\.port), engine: .postgres)
        let client = try await proxy.connect()
        #expect(await eventually { proxy.server.sessionCount == 1 })
        proxy.board.markDown(alias: 0, because: PingFailure(.refused, "no"))
        // A loop that answers has the table.
        _ = await proxy.server.trafficReport()
        try await client.send(PostgresWire.startup())
        #expect(try await client.receiveText(1) == "R")
        let route = await proxy.server.trafficReport().routes[0]
        #expect(route.served == [1: 1])
        #expect(route.retried == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test func newSessionsFollowTheRouteTable() async throws {
        let (replica, primary) = (EchoBackend(greeting: "r:"), EchoBackend(greeting: "p:"))
        let proxy = try ProxyUnderTest(ports: [replica.port, primary.port])
        #expect(try await proxy.whoAnswers() == "r:")
        proxy.board.markDown(alias: 0, because: down)
        #expect(try await proxy.whoAnswers() == "p:")
        proxy.board.markUp(alias: 0)
        #expect(try await proxy.whoAnswers() == "r:")
        #expect(proxy.arrivals == 3)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aClosedRouteRefusesNewSessionsWithTheOperatorsWords() async throws {
        let backend = EchoBackend(greeting: "r:")
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: backend.port)]], engine: .mysql, session: SessionSettings())
        proxy.board.replaceClosures([(0, RouteTable.Closure(service: "celery", message: "closed for now"))])
        let refused = try await proxy.connect()
        let packet = MySQLErrorPacket(code: 1105, sqlState: nil, message: "closed for now", sequence: 0)
        #expect(try await refused.receive(packet.bytes.count) == packet.bytes)
        #expect(proxy.log.lines == ["warning slave: client refused: closed during the outage of celery"])
        #expect(proxy.arrivals == 0)
        proxy.board.replaceClosures([])
        await proxy.server.stop(grace: .zero)
    }

    @Test func sessionsGoOnWhileTheirRouteIsClosed() async throws {
        let backend = EchoBackend(greeting: "r:")
        let proxy = try ProxyUnderTest(ports: [backend.port])
        let session = try await proxy.connect()
        #expect(try await session.receiveText(2) == "r:")
        proxy.board.replaceClosures([(0, RouteTable.Closure(service: "celery", message: "closed for now"))])
        #expect(try await proxy.whoAnswers() == "")
        #expect(await eventually { proxy.server.sessionCount == 1 })
        try await session.send(Array("ping".utf8))
        #expect(try await session.receiveText(4) == "ping")
        proxy.board.replaceClosures([])
        #expect(try await proxy.whoAnswers() == "r:")
        await proxy.server.stop(grace: .zero)
    }

    @Test func aRefusedConnectionEndsOnTheNextAliasAndIsReported() async throws {
        let (replica, primary) = (EchoBackend(greeting: "r:"), EchoBackend(greeting: "p:"))
        replica.stop()
        let proxy = try ProxyUnderTest(ports: [replica.port, primary.port])
        #expect(try await proxy.whoAnswers() == "p:")
        #expect(proxy.failures.map(\.kind) == [.connectRefused])
        #expect(proxy.failures.map(\.alias) == [0])
        await proxy.server.stop(grace: .zero)
    }

    @Test func anAddressThatRefusesLeavesTheNextAddressOfTheSameAlias() async throws {
        let backend = EchoBackend(greeting: "r:")
        let gone = EchoBackend()
        gone.stop()
        let proxy = try ProxyUnderTest(backends: [[.loopback(port: gone.port), .loopback(port: backend.port)]])
        #expect(try await proxy.whoAnswers() == "r:")
        #expect(proxy.failures.isEmpty)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aConnectionThatIsSwallowedEndsOnTheNextAliasAfterConnectTimeout() async throws {
        let primary = EchoBackend(greeting: "p:")
        let blackHole = SwallowingServer()
        let served = try await patiently(.milliseconds(50)) { (served: Served<String>) in
            served.said == "p:"
        } _: { limit in
            let proxy = try ProxyUnderTest(
                ports: [Int(blackHole.port), primary.port], session: SessionSettings(connectTimeout: limit))
            let answer = try await proxy.whoAnswers()
            await proxy.server.stop(grace: .zero)
            return Served(said: answer, failures: proxy.failures)
        }
        #expect(served.said == "p:")
        #expect(served.failures.map(\.kind) == [.connectTimeout])
    }

    @Test func whenNothingIsUpTheClientIsClosedAtOnceAndTheLogSaysWhy() async throws {
        let proxy = try ProxyUnderTest(ports: [1])
        // An alias with the wrong role never serves, not even as the last resort.
        proxy.board.markDown(alias: 0, because: PingFailure(.wrongRole, "down"))
        #expect(try await proxy.whoAnswers() == "")
        #expect(proxy.log.lines == ["warning slave: client refused, no alias could serve it"])
        #expect(proxy.log.metadata.first?["aliases"] == "a0: wrong role: down")
        await proxy.server.stop(grace: .zero)
    }

    // MARK: No alias is up

    /// Connects until a backend serves.
    private func serves(_ proxy: ProxyUnderTest, _ greeting: String) async throws -> Bool {
        try await eventually { try await proxy.whoAnswers() == greeting }
    }

    @Test func whenAllAreFoundDownTheOneThatIsWellAgainServesAllTheSame() async throws {
        let gone = UnusedPort()
        let primary = EchoBackend(greeting: "p:")
        // Each loop trusts a verdict for a second from when it learns of it. Two loops may learn of it at different
        // times.
        let proxy = try ProxyUnderTest(ports: [Int(gone.port), primary.port], workers: 1)
        for alias in 0..<2 { proxy.board.markDown(alias: alias, because: down) }
        #expect(try await serves(proxy, "p:"))
        #expect(proxy.served == [1])
        #expect(proxy.log.lines.contains { $0.hasSuffix("→ a1, which is marked down: no other server was available") })
        // The session continues like any other, even if a ping reports the alias down again.
        let session = try await proxy.connect()
        #expect(try await session.receiveText(2) == "p:")
        proxy.board.markDown(alias: 1, because: PingFailure(.timeout(.connecting), "down"))
        try await session.send("ping")
        #expect(try await session.receiveText(4) == "ping")
        await proxy.server.stop(grace: .zero)
    }

    @Test func whoIsDownServesWhenThoseThatAreUpDoNot() async throws {
        let (replica, gone) = (EchoBackend(greeting: "r:"), UnusedPort())
        let proxy = try ProxyUnderTest(ports: [replica.port, Int(gone.port)])
        proxy.board.markDown(alias: 0, because: down)
        #expect(try await serves(proxy, "r:"))
        #expect(Set(proxy.failures.map(\.alias)) == [1])
        await proxy.server.stop(grace: .zero)
    }

    @Test func whoMustNotServeIsNoLastResort() async throws {
        let backends = (0..<4).map { EchoBackend(greeting: "\($0):") }
        let last = EchoBackend(greeting: "L:")
        let proxy = try ProxyUnderTest(ports: backends.map(\.port) + [last.port])
        for alias in 0..<5 where alias != 2 { proxy.board.markDown(alias: alias, because: down) }
        proxy.board.setDrilled(alias: 0, true)
        proxy.board.setDraining(alias: 1, true)
        proxy.board.markDown(alias: 2, because: PingFailure(.replicationStopped, "stopped"))
        // The last successful ping found this alias in another role.
        proxy.board.setMustNotServe(alias: 3, true)
        #expect(try await serves(proxy, "L:"))
        #expect(backends.map(\.connections) == [0, 0, 0, 0])
        await proxy.server.stop(grace: .zero)
    }

    @Test func aFloodOntoDeadServersIsRefusedButForAFew() async throws {
        let swallowing = SwallowingServer()
        let proxy = try ProxyUnderTest(
            ports: [Int(swallowing.port)], session: SessionSettings(connectTimeout: .seconds(3600)))
        proxy.board.markDown(alias: 0, because: down)
        let clients = Lock<[TCPClient]>([])
        let connect: @Sendable () async throws -> Void = {
            let client = try await proxy.connect()
            client.resetOnClose()
            clients.withLock { $0.append(client) }
        }
        // Sessions that begin within a second of the verdict are refused.
        #expect(
            try await eventually {
                try await connect()
                return await proxy.server.sessions(SessionQuery(limit: 1)).contains { $0.alias == 0 }
            })
        for _ in 0..<200 { try await connect() }
        #expect(
            try await eventually {
                // The other loop may still have refused its share of them.
                if proxy.server.sessionCount < 64 { try await connect() }
                return proxy.server.sessionCount == 64
            })
        clients.withLock { $0 = [] }
        #expect(await eventually { proxy.server.sessionCount == 0 })
        await proxy.server.stop(grace: .zero)
    }

    @Test func theLastThatIsLeftMayTakeItsTimeToAnswer() async throws {
        let silent = EchoBackend { $0.holdOpen() }
        let greeting = FaultyServerConnection.mysqlGreeting()
        let slow = EchoBackend { client in
            client.dribble(Array(greeting.prefix(1)), every: 400)
            client.send(Array(greeting.dropFirst()))
            client.receiveToEnd()
        }
        let proxy = try ProxyUnderTest(
            backends: [silent, slow].map { [.loopback(port: $0.port)] }, answerTimeouts: [.seconds(60), .seconds(60)],
            engine: .mysql, session: SessionSettings(greetingTimeout: .milliseconds(50)))
        #expect(try await proxy.connect().receive(greeting.count) == greeting)
        #expect(proxy.failures.map(\.kind) == [.greetingTimeout])
        #expect(proxy.failures.map(\.alias) == [0])
        await proxy.server.stop(grace: .zero)
    }

    // MARK: Several addresses

    @Test func aSilentAddressIsFollowedByTheNextOfItsAliasAndTriedLastFromThenOn() async throws {
        let silent = EchoBackend { $0.holdOpen() }
        let (replica, primary) = (EchoBackend { $0.serveMySQL() }, EchoBackend { $0.serveMySQL() })
        let expected = [1, 10, 0]
        let (connections, failures) = try await patiently(.milliseconds(500), until: { $0.0 == expected }) { limit in
            let before = [silent, replica, primary].map(\.connections)
            let proxy = try ProxyUnderTest(
                backends: [
                    [.loopback(port: silent.port), .loopback(port: replica.port)], [.loopback(port: primary.port)],
                ],
                engine: .mysql, session: SessionSettings(greetingTimeout: limit))
            for _ in 0..<10 {
                let greeting = FaultyServerConnection.mysqlGreeting()
                #expect(try await proxy.connect().receive(greeting.count) == greeting)
            }
            await proxy.server.stop(grace: .zero)
            let connections = zip([silent, replica, primary].map(\.connections), before).map { $0 - $1 }
            return (connections, proxy.failures.count)
        }
        #expect(connections == expected)
        #expect(failures == 0)
    }

    @Test func aPingsOrderEndsWhatIsRememberedOfAddresses() async throws {
        let (first, second) = (EchoBackend(greeting: "1:"), EchoBackend(greeting: "2:"))
        let dead = UnusedPort()
        let addresses = [dead.port, UInt16(second.port)].map { SocketAddress.loopback(port: Int($0)) }
        let proxy = try ProxyUnderTest(backends: [addresses])
        #expect(try await proxy.whoAnswers() == "2:")
        proxy.board.setAddresses(alias: 0, [.loopback(port: first.port)] + addresses)
        #expect(try await eventually { try await proxy.whoAnswers() == "1:" })
        await proxy.server.stop(grace: .zero)
    }

    @Test func aBackendThatClosesBeforeItSaidAnythingIsReported() async throws {
        let backend = EchoBackend(play: { _ in })
        let proxy = try ProxyUnderTest(ports: [backend.port])
        _ = try await proxy.whoAnswers()
        #expect(await eventually { proxy.failures.map(\.kind) == [.earlyClose] })
        await proxy.server.stop(grace: .zero)
    }

    @Test func sessionsOverAnAliassLimitGoToTheNextAndAccuseNobody() async throws {
        let (replica, primary) = (EchoBackend(greeting: "r:"), EchoBackend(greeting: "p:"))
        let proxy = try ProxyUnderTest(
            backends: [replica, primary].map { [.loopback(port: $0.port)] }, aliasLimits: [1, 1])
        let first = try await proxy.connect()
        #expect(try await first.receiveText(2) == "r:")
        let second = try await proxy.connect()
        #expect(try await second.receiveText(2) == "p:")
        #expect(try await proxy.whoAnswers() == "")
        #expect(
            proxy.log.metadata.last?["aliases"]
                == "a0: its max_connections is reached; a1: its max_connections is reached")
        #expect(proxy.failures.isEmpty)
        first.endSending()
        #expect(try await first.drain() == 0)
        #expect(await eventually { proxy.server.sessionCount == 1 })
        #expect(try await proxy.whoAnswers() == "r:")
        await proxy.server.stop(grace: .zero)
    }

    @Test func sessionsOverTheRoutesLimitAreClosed() async throws {
        let backend = EchoBackend(greeting: "r:")
        let proxy = try ProxyUnderTest(backends: [[.loopback(port: backend.port)]], maxConnections: 1)
        let first = try await proxy.connect()
        #expect(try await first.receiveText(2) == "r:")
        #expect(try await proxy.whoAnswers() == "")
        first.endSending()
        #expect(try await first.drain() == 0)
        #expect(await eventually { proxy.server.sessionCount == 0 })
        #expect(try await proxy.whoAnswers() == "r:")
        await proxy.server.stop(grace: .zero)
    }
}

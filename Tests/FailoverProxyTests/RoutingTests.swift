import FailoverCore
import FailoverTesting
import Glibc
import Testing

@testable import FailoverProxy

@Suite("Where sessions go", .timeLimit(.minutes(5)), .explained)
struct RoutingTests {
    private let down = PingFailure(.refused, "down")

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
        proxy.board.markDown(alias: 0, because: down)
        #expect(try await proxy.whoAnswers() == "")
        #expect(proxy.log.lines == ["warning slave: client refused, no alias could serve it"])
        #expect(proxy.log.metadata.first?["aliases"] == "a0: refused: down")
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

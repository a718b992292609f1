import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("What sessions have done", .timeLimit(.minutes(5)))
struct TrafficTests {
    private let down = PingFailure(.refused, "down")

    @Test func sessionsAndTheirBytesAreCountedByRouteAndAlias() async throws {
        let (replica, primary) = (EchoBackend(greeting: "r:"), EchoBackend(greeting: "p:"))
        let proxy = try ProxyUnderTest(ports: [replica.port, primary.port])
        let first = try await proxy.connect()
        try await first.send("1234567")
        #expect(try await first.receiveText(9) == "r:1234567")
        proxy.board.markDown(alias: 0, because: down)
        #expect(try await proxy.whoAnswers() == "p:")
        let open = try await proxy.connect()
        #expect(try await open.receiveText(2) == "p:")
        #expect(await eventually { await proxy.server.trafficReport().routes[0].open == [0, 1] })
        let route = await proxy.server.trafficReport().routes[0]
        #expect(route.accepted == 3)
        #expect(route.served == [1, 2])
        #expect(route.fromClients == 7)
        #expect(route.fromBackends == 9 + 2 + 2)
        #expect(route.refused == 0)
        #expect(await proxy.server.trafficReport().lag.count == 2)
        await proxy.server.stop(grace: .zero)
    }

    @Test func failuresRetriesAndRefusalsAreCounted() async throws {
        let (replica, primary) = (EchoBackend(greeting: "r:"), EchoBackend(greeting: "p:"))
        replica.stop()
        let proxy = try ProxyUnderTest(ports: [replica.port, primary.port])
        #expect(try await proxy.whoAnswers() == "p:")
        var report = await proxy.server.trafficReport()
        #expect(report.failures == [[.connectRefused: 1], [:]])
        #expect(report.routes[0].retried == 1)
        proxy.board.close(route: 0, RouteTable.Closure(service: "celery", message: "closed"))
        #expect(try await proxy.whoAnswers() == "")
        proxy.board.reopen(route: 0, after: "celery")
        for alias in 0..<2 { proxy.board.markDown(alias: alias, because: down) }
        #expect(try await proxy.whoAnswers() == "")
        report = await proxy.server.trafficReport()
        #expect(report.routes[0].refused == 2)
        await proxy.server.stop(grace: .zero)
    }

    @Test func anOperatorClosesTheSessionsOfOneAlias() async throws {
        let (replica, primary) = (EchoBackend(greeting: "r:"), EchoBackend(greeting: "p:"))
        let proxy = try ProxyUnderTest(
            ports: [replica.port, primary.port], session: SessionSettings(onRecovery: .keep))
        proxy.board.markDown(alias: 0, because: down)
        let onPrimary = try await proxy.connect()
        #expect(try await onPrimary.receiveText(2) == "p:")
        proxy.board.markUp(alias: 0)
        let onReplica = try await proxy.connect()
        #expect(try await onReplica.receiveText(2) == "r:")
        proxy.server.closeSessions(ofRoute: 0, alias: 1)
        #expect(try await onPrimary.drain() == 0)
        try await onReplica.send("still here")
        #expect(try await onReplica.receiveText(10) == "still here")
        proxy.server.closeSessions(ofRoute: 0)
        #expect(try await onReplica.drain() == 0)
        await proxy.server.stop(grace: .zero)
    }
}

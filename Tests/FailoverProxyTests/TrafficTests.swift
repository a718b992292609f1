import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Traffic statistics", .timeLimit(.minutes(5)), .explained)
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
        #expect(await eventually { await proxy.server.trafficReport().routes[0].open == [1: 1] })
        let route = await proxy.server.trafficReport().routes[0]
        #expect(route.accepted == 3)
        #expect(route.served == [0: 1, 1: 2])
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
        proxy.board.replaceClosures([(0, RouteTable.Closure(service: "celery", message: "closed"))])
        #expect(try await proxy.whoAnswers() == "")
        proxy.board.replaceClosures([])
        for alias in 0..<2 { proxy.board.markDown(alias: alias, because: PingFailure(.wrongRole, "down")) }
        #expect(try await proxy.whoAnswers() == "")
        report = await proxy.server.trafficReport()
        #expect(report.routes[0].refused == 2)
        await proxy.server.stop(grace: .zero)
    }

    @Test func openSessionsAreListedPageByPageOverAllLoops() async throws {
        let backend = EchoBackend(greeting: "r:")
        let proxy = try ProxyUnderTest(ports: [backend.port], workers: 2)
        var clients: [TCPClient] = []
        for _ in 0..<10 {
            let client = try await proxy.connect()
            #expect(try await client.receiveText(2) == "r:")
            clients.append(client)
        }
        try await clients[0].send("hello")
        #expect(try await clients[0].receiveText(5) == "hello")
        var seen: [SessionReport] = []
        while true {
            let page = await proxy.server.sessions(SessionQuery(after: seen.last?.id ?? 0, limit: 3))
            seen += page
            if page.count < 3 { break }
        }
        #expect(seen.count == 10)
        #expect(seen.map(\.id) == seen.map(\.id).sorted())
        #expect(Set(seen.map(\.client)).count == 10)
        #expect(seen.map(\.fromBackend).sorted() == Array(repeating: 2, count: 9) + [7])
        #expect(seen.allSatisfy { $0.alias == 0 && $0.boundary == .unknown && $0.age >= $0.idle })
        #expect(await proxy.server.sessions(SessionQuery(route: 1, limit: 3)).isEmpty)
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

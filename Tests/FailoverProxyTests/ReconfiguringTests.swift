import FailoverCore
import FailoverTesting
import Foundation
import Testing

@testable import FailoverProxy

@Suite("Another configuration while sessions go on", .timeLimit(.minutes(5)), .explained)
struct ReconfiguringTests {
    private let replica = EchoBackend { $0.servePostgres() }
    private let primary = EchoBackend { $0.servePostgres() }

    private func proxy(maxConnections: Int? = nil) throws -> ProxyUnderTest {
        try ProxyUnderTest(
            backends: [[.loopback(port: replica.port)], [.loopback(port: primary.port)]],
            maxConnections: maxConnections, engine: .postgres)
    }

    private func state(_ name: String, _ backend: EchoBackend, isRetired: Bool = false) -> AliasState {
        AliasState(
            name: name, endpoint: .tcp(host: "127.0.0.1", port: 1), addresses: [.loopback(port: backend.port)],
            isRetired: isRetired)
    }

    private var states: [AliasState] { [state("a0", replica), state("a1", primary)] }

    private func route(
        _ name: String, listeners: Int = 1, maxConnections: Int? = nil, session: SessionSettings = SessionSettings()
    ) -> ProxyRoute {
        ProxyRoute(
            name: name, engine: .postgres, listen: Array(repeating: .loopback(port: 0), count: listeners),
            maxConnections: maxConnections, session: session.patient)
    }

    private func change(
        _ proxy: ProxyUnderTest, _ routes: [ProxyRoute], _ aliases: [AliasState], _ table: [Route]
    ) async throws {
        let change = try proxy.server.prepare(
            ProxyConfiguration(routes: routes, aliasLimits: aliases.map { _ in nil }, workers: 2))
        await proxy.server.commit(change, observer: Unobserved()) {
            proxy.board.change(aliases: aliases, routes: table)
        }
    }

    @Test func aRouteGetsAnotherListenerAndLosesIt() async throws {
        let proxy = try proxy()
        let client = try await PostgresClient(proxy)
        let table = [Route(name: "slave", aliases: [0, 1])]
        try await change(proxy, [route("slave", listeners: 2)], states, table)
        let ports = proxy.server.addresses[0].map(\.localPort)
        #expect(ports.count == 2)
        #expect(ports[0] == proxy.port)
        let added = try await PostgresClient(TCPClient.connect(port: ports[1]))
        #expect(try await added.run("select 1") == "I")

        try await change(proxy, [route("slave")], states, table)
        #expect(proxy.server.addresses[0].map(\.localPort) == [ports[0]])
        await #expect(throws: TCPClient.Failure.self) { try await TCPClient.connect(port: ports[1]) }
        // A session that came through the closed listener continues.
        #expect(try await added.run("select 1") == "I")
        #expect(try await client.run("select 1") == "I")
        await proxy.server.stop(grace: .zero)
    }

    @Test func aListenerThatCannotBeOpenedChangesNothing() async throws {
        let proxy = try proxy()
        var other = route("other", listeners: 2)
        other.listen[1] = .loopback(port: replica.port)
        #expect(throws: OperationError.self) {
            _ = try proxy.server.prepare(
                ProxyConfiguration(routes: [route("slave"), other], aliasLimits: [nil, nil], workers: 2))
        }
        #expect(proxy.server.addresses.count == 1)
        #expect(try await PostgresClient(proxy).run("select 1") == "I")
        await proxy.server.stop(grace: .zero)
    }

    @Test func whatWasPreparedAndAbandonedIsClosed() async throws {
        let proxy = try proxy()
        let scratch = try Scratch()
        var other = route("other")
        other.listen = [.unix(scratch.path("socket"))]
        proxy.server.abandon(
            try proxy.server.prepare(
                ProxyConfiguration(routes: [route("slave"), other], aliasLimits: [nil, nil], workers: 2)))
        #expect(!FileManager.default.fileExists(atPath: scratch.path("socket")))
        #expect(try await PostgresClient(proxy).run("select 1") == "I")
        await proxy.server.stop(grace: .zero)
    }

    @Test func sessionsOfAnAliasThatIsGoneMoveWhereItIsSafe() async throws {
        let proxy = try proxy()
        let idle = try await PostgresClient(proxy)
        let busy = try await PostgresClient(proxy)
        #expect(try await busy.run("begin") == "T")
        try await change(
            proxy, [route("slave")], [state("a0", replica, isRetired: true), state("a1", primary)],
            [Route(name: "slave", aliases: [1])])
        let error = try await idle.error()
        #expect(error?.sqlState == "57P01")
        #expect(primary.connections == 0)
        #expect(try await PostgresClient(proxy).run("select 1") == "I")
        #expect(primary.connections == 1)
        #expect(try await busy.run("select 1") == "T")
        #expect(try await busy.run("commit") == "I")
        #expect(try await busy.error()?.sqlState == "57P01")
        await proxy.server.stop(grace: .zero)
    }

    @Test func positionsAreUsedAsLongAsSessionsAreThereAndStartAnewForOthers() async throws {
        let proxy = try proxy()
        let client = try await PostgresClient(proxy)
        #expect(await proxy.server.usedPositions() == RouteTable.Positions(routes: [0], aliases: [0]))
        // It may still choose either alias.
        let silent = try await TCPClient.connect(port: proxy.port)
        #expect(
            await eventually {
                await proxy.server.usedPositions() == RouteTable.Positions(routes: [0], aliases: [0, 1])
            })
        silent.endSending()
        var gone = route("slave")
        gone.listen = []
        let others = [Route(name: "slave", aliases: [0], isRetired: true), Route(name: "other", aliases: [1])]
        let retired = [state("a0", replica, isRetired: true), state("a1", primary)]
        try await change(proxy, [gone, route("other")], retired, others)
        #expect(
            await eventually {
                await proxy.server.usedPositions() == RouteTable.Positions(routes: [0], aliases: [0])
            })
        client.connection.endSending()
        #expect(await eventually { await proxy.server.usedPositions() == RouteTable.Positions() })
        #expect(await proxy.server.trafficReport().routes[0].served == [0: 1])

        // The positions of both are given to others.
        let next = [state("a2", replica), state("a1", primary)]
        try await change(
            proxy, [route("next"), route("other")], next,
            [Route(name: "next", aliases: [0, 1]), Route(name: "other", aliases: [1])])
        #expect(await proxy.server.trafficReport().routes[0] == TrafficReport.OfRoute())
        let port = try #require(proxy.server.addresses[0].first).localPort
        let served = try await PostgresClient(TCPClient.connect(port: port))
        #expect(try await served.run("select 1") == "I")
        #expect(await proxy.server.trafficReport().routes[0].served == [0: 1])
        await proxy.server.stop(grace: .zero)
    }

    @Test func sessionsOfARouteThatIsGoneAreServedUntilTheyEnd() async throws {
        let proxy = try proxy()
        let port = proxy.port
        let client = try await PostgresClient(proxy)
        var gone = route("slave")
        gone.listen = []
        try await change(
            proxy, [gone, route("other")], states,
            [Route(name: "slave", aliases: [0, 1], isRetired: true), Route(name: "other", aliases: [1])])
        await #expect(throws: TCPClient.Failure.self) { try await TCPClient.connect(port: port) }
        #expect(try await client.run("select 1") == "I")
        let other = try await PostgresClient(TCPClient.connect(port: proxy.server.addresses[1][0].localPort))
        #expect(try await other.run("select 1") == "I")
        // An outage and a recovery of an alias that the sessions' route does not have do not affect them.
        proxy.board.markDown(alias: 1, because: PingFailure(.refused, "down"))
        proxy.board.markUp(alias: 1)
        #expect(try await client.run("select 1") == "I")
        await proxy.server.stop(grace: .zero)
    }

    @Test func aListenerChangesHandsWithoutClosing() async throws {
        let scratch = try Scratch()
        let address = SocketAddress.unix(scratch.path("socket"))
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: replica.port)]], listen: [address], engine: .postgres)
        var (gone, other) = (route("slave"), route("other"))
        (gone.listen, other.listen) = ([], [address])
        try await change(
            proxy, [gone, other], states,
            [Route(name: "slave", aliases: [0], isRetired: true), Route(name: "other", aliases: [1])])
        let client = try await PostgresClient(TCPClient.connect(family: AF_UNIX, address.bytes))
        #expect(try await client.run("select 1") == "I")
        #expect(primary.connections == 1)
        #expect(await proxy.server.trafficReport().routes.map(\.accepted) == [0, 1])
        await proxy.server.stop(grace: .zero)
    }

    @Test func aLowerLimitHoldsForNewSessionsAndThoseOverItStay() async throws {
        let proxy = try proxy(maxConnections: 3)
        let clients = [try await PostgresClient(proxy), try await PostgresClient(proxy)]
        let table = [Route(name: "slave", aliases: [0, 1])]
        try await change(proxy, [route("slave", maxConnections: 1)], states, table)
        let refused = try await proxy.connect()
        try await refused.send(PostgresWire.startup())
        #expect(try await refused.receiveText(1) == "E")
        for client in clients { #expect(try await client.run("select 1") == "I") }
        try await change(proxy, [route("slave", maxConnections: 3)], states, table)
        #expect(try await PostgresClient(proxy).run("select 1") == "I")
        await proxy.server.stop(grace: .zero)
    }

    struct Unobserved: ProxyObserver {
        func sessionArrived(route: Int) {}
        func backendIsDoubtful(alias: Int) {}
        func backendServed(alias: Int) {}
        func backendFailed(_ failure: BackendFailure, route: Int) {}
        func boundariesWanted(_ question: BoundaryQuestion) { question.answer(.untold) }
    }
}

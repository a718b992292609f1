import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Sessions on several aliases of a route's own", .timeLimit(.minutes(5)), .explained)
struct SideBySideTests {
    private let down = PingFailure(.refused, "down")
    private let a = EchoBackend { $0.servePostgres() }
    private let b = EchoBackend { $0.servePostgres() }
    private let primary = EchoBackend { $0.servePostgres() }

    private func proxy(
        _ balance: BalanceSettings = BalanceSettings(), aliasLimits: [Int?]? = nil
    ) throws -> ProxyUnderTest {
        try ProxyUnderTest(
            backends: [a, b, primary].map { [.loopback(port: $0.port)] }, aliasLimits: aliasLimits, engine: .postgres,
            balance: balance, preferredCount: 2)
    }

    /// Open sessions of each alias.
    private func open(_ proxy: ProxyUnderTest) async -> [Int] {
        let open = await proxy.server.trafficReport().routes[0].open
        return (0..<3).map { open[$0] ?? 0 }
    }

    @Test(arguments: [.leastSessions, .roundRobin] as [BalanceSettings.Policy])
    func theyAreShared(policy: BalanceSettings.Policy) async throws {
        let proxy = try proxy(BalanceSettings(policy: policy))
        var clients: [PostgresClient] = []
        for _ in 0..<20 { clients.append(try await PostgresClient(proxy)) }
        #expect(await open(proxy) == [10, 10, 0])
        await proxy.server.stop(grace: .zero)
    }

    @Test func theFirstGetsWhatItHasRoomFor() async throws {
        let proxy = try proxy(BalanceSettings(policy: .first), aliasLimits: [3, nil, nil])
        var clients: [PostgresClient] = []
        for _ in 0..<5 { clients.append(try await PostgresClient(proxy)) }
        #expect(await open(proxy) == [3, 2, 0])
        await proxy.server.stop(grace: .zero)
    }

    @Test func whoeverIsLeftTakesOverAndEqualsAreNotMoved() async throws {
        let proxy = try proxy()
        var clients: [PostgresClient] = []
        for _ in 0..<4 { clients.append(try await PostgresClient(proxy)) }
        proxy.board.markDown(alias: 0, because: down)
        #expect(await eventually { await open(proxy) == [0, 2, 0] })
        for _ in 0..<2 { clients.append(try await PostgresClient(proxy)) }
        #expect(await open(proxy) == [0, 4, 0])
        proxy.board.markUp(alias: 0)
        // New sessions fill the gap. No session is moved.
        for _ in 0..<4 { clients.append(try await PostgresClient(proxy)) }
        #expect(await open(proxy) == [4, 4, 0])
        #expect(await proxy.server.trafficReport().routes[0].moved == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test func theFailoverAliasServesOnlyWhenNoneIsLeft() async throws {
        let proxy = try proxy()
        proxy.board.markDown(alias: 0, because: down)
        proxy.board.markDown(alias: 1, because: down)
        let client = try await PostgresClient(proxy)
        #expect(await open(proxy) == [0, 0, 1])
        proxy.board.markUp(alias: 1)
        #expect(await eventually { await open(proxy) == [0, 0, 0] })
        _ = client
        let next = try await PostgresClient(proxy)
        #expect(await open(proxy) == [0, 1, 0])
        _ = next
        await proxy.server.stop(grace: .zero)
    }

    @Test func oneThatRefusesCountsForTheOther() async throws {
        a.stop()
        let proxy = try proxy()
        var clients: [PostgresClient] = []
        for _ in 0..<4 { clients.append(try await PostgresClient(proxy)) }
        #expect(await open(proxy) == [0, 4, 0])
        await proxy.server.stop(grace: .zero)
    }

    @Test func aDrainedOnesSessionsMoveToTheOther() async throws {
        let proxy = try proxy()
        var clients: [PostgresClient] = []
        for _ in 0..<4 { clients.append(try await PostgresClient(proxy)) }
        proxy.board.setDraining(alias: 0, true)
        #expect(await eventually { await open(proxy) == [0, 2, 0] })
        clients.append(try await PostgresClient(proxy))
        #expect(await open(proxy) == [0, 3, 0])
        await proxy.server.stop(grace: .zero)
    }

    @Test func sessionsOfBeforeCountWhenASecondAliasIsAdded() async throws {
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: a.port)], [.loopback(port: primary.port)]], engine: .postgres)
        var clients: [PostgresClient] = []
        for _ in 0..<3 { clients.append(try await PostgresClient(proxy)) }
        let added = AliasState(
            name: "a2", endpoint: .tcp(host: "127.0.0.1", port: 1), addresses: [.loopback(port: b.port)])
        let change = try proxy.server.prepare(
            ProxyConfiguration(
                routes: [
                    ProxyRoute(
                        name: "slave", engine: .postgres, listen: [.loopback(port: 0)],
                        session: SessionSettings().patient, balance: BalanceSettings())
                ], aliasLimits: [nil, nil, nil], workers: 2))
        await proxy.server.commit(change, observer: ReconfiguringTests.Unobserved()) {
            proxy.board.change(
                aliases: proxy.board.table.aliases + [added],
                routes: [Route(name: "slave", aliases: [0, 2, 1], preferredCount: 2)])
        }
        for _ in 0..<3 { clients.append(try await PostgresClient(proxy)) }
        #expect(await open(proxy) == [3, 0, 3])
        await proxy.server.stop(grace: .zero)
    }
}

import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("What becomes of open sessions when a route changes", .timeLimit(.minutes(5)), .explained)
struct MovingTests {
    private let replica = EchoBackend { $0.servePostgres() }
    private let primary = EchoBackend { $0.servePostgres() }
    private let down = PingFailure(.refused, "down")

    private func proxy(_ settings: SessionSettings = SessionSettings(), workers: Int = 2) throws -> ProxyUnderTest {
        try ProxyUnderTest(ports: [replica.port, primary.port], engine: .postgres, session: settings, workers: workers)
    }

    // MARK: Outage

    @Test func anOutageClosesTheSessionsOfTheAliasWithAWordThatSaysWhy() async throws {
        let proxy = try proxy()
        let client = try await PostgresClient(proxy)
        proxy.board.markDown(alias: 0, because: down)
        let error = try await client.error()
        #expect(error?.sqlState == "57P01")
        #expect(error?.message == "slave: a0 is down: refused")
        #expect(error?.hint == "Connect again; the proxy chooses another server.")
        #expect(try await client.message() == nil)
        await proxy.server.stop(grace: .zero)
    }

    @Test func anOutageInTheMiddleOfAMessageIsACleanClose() async throws {
        let half = EchoBackend { client in
            client.receivePostgresStartup()
            client.sendPostgresWelcome()
            client.send(Array(PostgresWire.message("D", [UInt8](repeating: 1, count: 100)).prefix(50)))
            client.holdOpen()
        }
        let proxy = try ProxyUnderTest(ports: [half.port, primary.port], engine: .postgres)
        let client = try await PostgresClient(proxy)
        #expect(try await client.connection.receive(50).count == 50)
        proxy.board.markDown(alias: 0, because: down)
        #expect(try await client.connection.drain() == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test func sessionsOfOtherAliasesStayAndKeepLeavesAll() async throws {
        let proxy = try proxy(SessionSettings(onOutage: .keep))
        let client = try await PostgresClient(proxy)
        proxy.board.markDown(alias: 0, because: down)
        let other = try await PostgresClient(proxy)
        #expect(try await client.run("select 1") == "I")
        #expect(try await other.run("select 1") == "I")
        #expect(replica.connections == 1)
        #expect(primary.connections == 1)
        await proxy.server.stop(grace: .zero)
    }

    @Test func whoWaitsForAServerThatIsFoundDownIsServedByTheNextAtOnce() async throws {
        let silent = EchoBackend { $0.holdOpen() }
        let proxy = try ProxyUnderTest(
            ports: [silent.port, primary.port], engine: .postgres,
            session: SessionSettings(greetingTimeout: .seconds(3600)))
        let client = try await proxy.connect()
        try await client.send(PostgresWire.startup())
        #expect(await eventually { silent.connections == 1 })
        proxy.board.markDown(alias: 0, because: down)
        #expect(try await client.receiveText(1) == "R")
        await proxy.server.stop(grace: .zero)
    }

    // MARK: Recovery

    @Test func aRecoveryMovesIdleSessionsBackAndTellsThem() async throws {
        let proxy = try proxy()
        proxy.board.markDown(alias: 0, because: down)
        let client = try await PostgresClient(proxy)
        #expect(try await client.run("select 1") == "I")
        proxy.board.markUp(alias: 0)
        let error = try await client.error()
        #expect(error?.sqlState == "57P01")
        #expect(error?.message == "slave is back on a preferred server")
        #expect(try await PostgresClient(proxy).run("select 1") == "I")
        #expect(replica.connections == 1)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aTransactionIsNotCutAndItsSessionMovesAfterIt() async throws {
        let proxy = try proxy(SessionSettings(drainRate: 1000))
        proxy.board.markDown(alias: 0, because: down)
        let (works, idle) = (try await PostgresClient(proxy), try await PostgresClient(proxy))
        #expect(try await works.run("begin") == "T")
        proxy.board.markUp(alias: 0)
        // The idle session is closed. The other one may continue.
        #expect(try await idle.error()?.sqlState == "57P01")
        for _ in 0..<20 { #expect(try await works.run("update") == "T") }
        #expect(try await works.run("commit") == "I")
        #expect(try await works.error()?.sqlState == "57P01")
        await proxy.server.stop(grace: .zero)
    }

    @Test func aSessionThatHasJustBegunIsServedWhileItsRouteMovesBack() async throws {
        var settings = SessionSettings(drainRate: 1000)
        settings.drainGrace = .seconds(3600)
        let proxy = try proxy(settings)
        proxy.board.markDown(alias: 0, because: down)
        let client = try await PostgresClient(proxy)
        proxy.board.markUp(alias: 0)
        for _ in 0..<3 { #expect(try await client.run("select 1") == "I") }
        await proxy.server.stop(grace: .zero)
    }

    @Test func sessionsMoveOneAfterTheOtherAtTheRoutesPace() {
        let pace = DrainPace(rate: 1)
        #expect(pace.take(at: 5_000_000_000))
        #expect(!pace.take(at: 5_999_999_999))
        #expect(pace.take(at: 6_000_000_000))
        #expect(!pace.take(at: 6_000_000_001))
    }

    /// Sessions are checked every 20 ms.
    @Test func thoseOfATickMoveAtOnce() {
        let pace = DrainPace(rate: 1000)
        for tick: UInt64 in 100..<110 {
            #expect((0..<100).count { _ in pace.take(at: tick * 20_000_000) } == 20)
        }
    }

    @Test func aRouteThatFlipsAgainStopsTheDrain() async throws {
        let proxy = try proxy(workers: 1)
        proxy.board.markDown(alias: 0, because: down)
        let client = try await PostgresClient(proxy)
        #expect(try await client.run("begin") == "T")
        proxy.board.markUp(alias: 0)
        proxy.board.markDown(alias: 0, because: down)
        #expect(try await client.run("commit") == "I")
        // If the session still had to move, it would be closed with or right after the answer, before this new
        // session.
        for _ in 0..<5 { #expect(try await PostgresClient(proxy).run("select 1") == "I") }
        #expect(try await client.run("select 1") == "I")
        await proxy.server.stop(grace: .zero)
    }

    @Test func anEncryptedSessionWaitsForDrainDeadline() async throws {
        let primary = EchoBackend { client in
            if !client.beginPostgresEncryption() { client.sendPostgresWelcome() }
            client.receiveToEnd()
        }
        for deadline: Duration? in [.milliseconds(1), nil] {
            let proxy = try ProxyUnderTest(
                ports: [replica.port, primary.port], engine: .postgres,
                session: SessionSettings(drainDeadline: deadline, drainRate: 1000), workers: 1)
            proxy.board.markDown(alias: 0, because: down)
            let encrypted = try await proxy.connectEncrypted()
            let inClear = try await PostgresClient(proxy)
            proxy.board.markUp(alias: 0)
            #expect(try await inClear.error()?.sqlState == "57P01")
            if deadline == nil {
                #expect(await eventually { proxy.server.sessionCount == 1 })
            } else {
                #expect(try await encrypted.drain() == 0)
            }
            await proxy.server.stop(grace: .zero)
        }
    }

    @Test func whatIsPastDrainDeadlineIsClosedAtDrainRateToo() async throws {
        let primary = EchoBackend { client in
            if client.beginPostgresEncryption() { client.receiveToEnd() }
        }
        let proxy = try ProxyUnderTest(
            ports: [replica.port, primary.port], engine: .postgres,
            session: SessionSettings(drainDeadline: .milliseconds(1), drainRate: 10))
        proxy.board.markDown(alias: 0, because: down)
        var clients: [TCPClient] = []
        for _ in 0..<15 { clients.append(try await proxy.connectEncrypted()) }
        let start = ContinuousClock.now
        proxy.board.markUp(alias: 0)
        for client in clients { #expect(try await client.drain() == 0) }
        #expect(ContinuousClock.now - start >= .milliseconds(1400))
        await proxy.server.stop(grace: .zero)
    }

    @Test func closeMovesAllAtOnceAndKeepMovesNobody() async throws {
        for policy in [SessionSettings.RecoveryPolicy.close, .keep] {
            let proxy = try proxy(SessionSettings(onRecovery: policy))
            proxy.board.markDown(alias: 0, because: down)
            let client = try await PostgresClient(proxy)
            #expect(try await client.run("begin") == "T")
            proxy.board.markUp(alias: 0)
            if policy == .close {
                #expect(try await client.error()?.sqlState == "57P01")
            } else {
                #expect(try await client.run("commit") == "I")
                #expect(try await client.run("select 1") == "I")
            }
            await proxy.server.stop(grace: .zero)
        }
    }

    @Test func aSwitchMovesSessionsToThePinnedAliasAndAReleaseBack() async throws {
        let proxy = try proxy()
        let client = try await PostgresClient(proxy)
        #expect(try await client.run("begin") == "T")
        proxy.board.pin(route: 0, to: 1)
        #expect(try await client.run("commit") == "I")
        let error = try await client.error()
        #expect(error?.sqlState == "57P01")
        #expect(error?.message == "slave moves to another server")
        let moved = try await PostgresClient(proxy)
        #expect(primary.connections == 1)
        proxy.board.pin(route: 0, to: nil)
        #expect(try await moved.error()?.message == "slave is back on a preferred server")
        await proxy.server.stop(grace: .zero)
    }

    @Test func aDrainedAliasLosesItsSessionsWhateverOnRecoverySays() async throws {
        let proxy = try proxy(SessionSettings(onRecovery: .keep))
        let client = try await PostgresClient(proxy)
        proxy.board.setDraining(alias: 0, true)
        #expect(try await client.error()?.sqlState == "57P01")
        let moved = try await PostgresClient(proxy)
        #expect(primary.connections == 1)
        // The alias is back in service, but `keep` leaves sessions where they are.
        proxy.board.setDraining(alias: 0, false)
        for _ in 0..<5 { #expect(try await moved.run("select 1") == "I") }
        await proxy.server.stop(grace: .zero)
    }

    @Test func aDrainedAliasKeepsItsSessionsWhileThereIsNoOther() async throws {
        let proxy = try proxy(workers: 1)
        let client = try await PostgresClient(proxy)
        proxy.board.markDown(alias: 1, because: down)
        proxy.board.setDraining(alias: 0, true)
        for _ in 0..<5 { #expect(try await client.run("select 1") == "I") }
        proxy.board.markUp(alias: 1)
        #expect(try await client.error()?.sqlState == "57P01")
        await proxy.server.stop(grace: .zero)
    }

    /// - Parameter isSeen: whether loops receive a table in which the replica is down.
    @Test(arguments: [true, false])
    func whoGaveWayBecauseTheReplicaWasFullStaysUntilItHasBeenDown(isSeen: Bool) async throws {
        let proxy = try ProxyUnderTest(
            backends: [replica, primary].map { [.loopback(port: $0.port)] }, aliasLimits: [1, nil], engine: .postgres)
        let first = try await PostgresClient(proxy)
        let second = try await PostgresClient(proxy)
        #expect(primary.connections == 1)
        proxy.board.setSuspect(alias: 0, true)
        proxy.board.setSuspect(alias: 0, false)
        for _ in 0..<5 { #expect(try await second.run("select 1") == "I") }
        if isSeen { proxy.board.markDown(alias: 0, because: down) }
        if isSeen { proxy.board.markUp(alias: 0) } else { proxy.board.markDownAndUp(alias: 0, because: down) }
        #expect(try await first.error()?.sqlState == "57P01")
        #expect(try await second.error()?.sqlState == "57P01")
        await proxy.server.stop(grace: .zero)
    }
}

import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverChecks

@Suite("An alias with several alternative servers")
struct SeveralServersTests {
    let bench = CheckBench()

    private static let full: @Sendable (FaultyServerConnection) -> Void = {
        $0.receivePostgresStartup()
        $0.sendPostgresError("53300", "sorry, too many clients already")
    }

    private static let shutDown: @Sendable (FaultyServerConnection) -> Void = {
        $0.receivePostgresStartup()
        $0.sendPostgresError("57P03", "the database system is shutting down")
    }

    /// A primary that answers the ping query and the role query.
    private static let primary: @Sendable (FaultyServerConnection) -> Void = { connection in
        connection.receivePostgresStartup()
        connection.sendPostgresWelcome()
        for answer in ["1", "f"] {
            connection.receive()
            connection.sendPostgresRow([answer])
            connection.sendPostgresEnd()
        }
        connection.receiveToEnd()
    }

    private func check(_ servers: [FaultyServer]) -> ServerCheck {
        let endpoints = servers.map { Endpoint.tcp(host: "127.0.0.1", port: $0.port) }
        return bench.check(
            DatabaseServer(
                engine: .postgres, endpoint: endpoints[0], alternatives: Array(endpoints.dropFirst()), user: "monitor",
                tls: .disable, role: .primary))
    }

    private func ping(_ check: ServerCheck) async -> (failure: PingFailure?, server: Endpoint?) {
        var record = ServerRecord()
        return await ping(check, &record)
    }

    private func ping(
        _ check: ServerCheck, _ record: inout ServerRecord
    ) async -> (failure: PingFailure?, server: Endpoint?) {
        let answer = await check.answer(PingRequest(limit: .ample, record: record))
        record = answer.record ?? record
        return (answer.failure, answer.place?.server)
    }

    @Test func whileNobodyKnowsWhichItIsOneThatRefusesIsBetterThanNone() async {
        let servers = [FaultyServer(script: Self.shutDown), FaultyServer(script: Self.full)]
        let check = check(servers)
        let (failure, server) = await ping(check)
        #expect(failure?.reason == .tooManyConnections)
        #expect(server == .tcp(host: "127.0.0.1", port: servers[1].port))
        for server in servers { server.stop() }
    }

    @Test func oneThatRefusesStaysTheOneUntilOneIsWell() async {
        let pings = Counter()
        let fullAtFirst = FaultyServer { connection in
            pings.increment()
            if pings.value == 1 { Self.full(connection) } else { Self.shutDown(connection) }
        }
        let servers = [fullAtFirst, FaultyServer(script: Self.full), FaultyServer(script: Self.full)]
        let check = check(servers)
        var record = ServerRecord()
        #expect(await ping(check, &record).server == .tcp(host: "127.0.0.1", port: servers[0].port))
        for _ in 0..<2 {
            #expect(await ping(check, &record).server == .tcp(host: "127.0.0.1", port: servers[1].port))
        }
        for server in servers { server.stop() }
    }

    @Test func theOneThatItWasIsAskedFirst() async {
        let servers = [FaultyServer(script: Self.primary), FaultyServer(script: Self.primary)]
        let check = check(servers)
        for server in servers.map({ Endpoint.tcp(host: "127.0.0.1", port: $0.port) }) {
            var record = ServerRecord(known: server)
            #expect(await ping(check, &record).server == server)
            #expect(record == ServerRecord(known: server))
        }
        for server in servers { server.stop() }
    }

    @Test func oneThatAnswersIsBetterThanOneThatRefuses() async {
        let servers = [FaultyServer(script: Self.full), FaultyServer(script: Self.primary)]
        let (failure, server) = await ping(check(servers))
        #expect(failure == nil)
        #expect(server == .tcp(host: "127.0.0.1", port: servers[1].port))
        for server in servers { server.stop() }
    }

    @Test func oneThatIsKnownAndDeadIsNotLeftForOneThatRefuses() async {
        let deaths = Counter()
        let first = FaultyServer { connection in
            if deaths.value > 0 { Self.shutDown(connection) } else { Self.primary(connection) }
        }
        let servers = [first, FaultyServer(script: Self.full)]
        let check = check(servers)
        var record = ServerRecord()
        #expect(await ping(check, &record).server == .tcp(host: "127.0.0.1", port: first.port))
        deaths.increment()
        let (failure, server) = await ping(check, &record)
        #expect(failure?.reason == .shuttingDown)
        #expect(server == nil)
        for server in servers { server.stop() }
    }
}

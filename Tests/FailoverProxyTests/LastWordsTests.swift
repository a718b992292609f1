import Dispatch
import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("The last words of a server, and of the proxy in its place", .timeLimit(.minutes(5)))
struct LastWordsTests {
    /// MySQL's behavior for a statement that is too long: it sends an error and closes with most of the statement
    /// unread.
    private static func refuseTheRest(_ client: FaultyServerConnection) {
        client.receive(atLeast: 100_000)
        client.send(Array("1153: too long".utf8))
    }

    @Test func reachAClientThatIsStillSending() async throws {
        let backend = EchoBackend(play: Self.refuseTheRest)
        let proxy = try ProxyUnderTest(ports: [backend.port])
        for _ in 0..<10 {
            let client = try await proxy.connect()
            // Most of it is discarded: the server accepts no more data.
            try await client.send([UInt8](repeating: 1, count: 24_000_000))
            #expect(try await client.receiveText(100) == "1153: too long")
        }
        #expect(await eventually { proxy.server.sessionCount == 0 })
        await proxy.server.stop(grace: .zero)
    }

    @Test func aClientThatGoesOnForEverIsClosed() async throws {
        let backend = EchoBackend(play: { client in
            client.receive()
            client.send(Array("no".utf8))
        })
        let proxy = try ProxyUnderTest(ports: [backend.port])
        let client = try await proxy.connect()
        let sending = Task {
            while true { try await client.send([UInt8](repeating: 1, count: 1_000_000)) }
        }
        #expect(try await client.receiveText(2) == "no")
        #expect(await eventually { proxy.server.sessionCount == 0 })
        sending.cancel()
        _ = await sending.result
        await proxy.server.stop(grace: .zero)
    }

    /// Tries with an `idle_timeout` of a second, and with more where the machine is too slow for it.
    private func untilItIsKept(_ attempt: (Duration) async throws -> [String]) async -> [String] {
        await patiently(.seconds(1), until: { $0.isEmpty }) { limit in
            do { return try await attempt(limit) } catch { return ["\(error)"] }
        }
    }

    @Test func aSessionThatWaitsForItsServerIsNotIdle() async throws {
        let mistakes = await untilItIsKept { limit in
            let mayAnswer = DispatchSemaphore(value: 0)
            let backend = EchoBackend { client in
                guard client.receivePostgresStartup() else { return }
                client.sendPostgresWelcome()
                guard client.receive().first == UInt8(ascii: "Q") else { return }
                mayAnswer.wait()
                client.sendPostgresEnd()
                client.receiveToEnd()
            }
            defer { mayAnswer.signal() }
            let proxy = try ProxyUnderTest(
                ports: [backend.port], engine: .postgres, session: SessionSettings(idleTimeout: limit))
            let waits = try await PostgresClient(proxy)
            try await waits.connection.send(PostgresWire.query("select pg_sleep(6)"))
            var mistakes: [String] = []
            for _ in 0..<3 {
                let error = try await PostgresClient(proxy).error()
                let message = "slave: idle for \(limit.inWords) (idle_timeout)"
                if error?.sqlState != "57P05" || error?.message != message { mistakes.append("\(error as Any)") }
            }
            mayAnswer.signal()
            let (state, error) = (try await waits.readyForQuery(), try await waits.error())
            if state != "I" || error?.sqlState != "57P05" { mistakes.append("\(state as Any) \(error as Any)") }
            await proxy.server.stop(grace: .zero)
            return mistakes
        }
        #expect(mistakes == [])
    }

    @Test func aSessionThatCannotBeReadWaitsForItsServerWhenItsClientSpokeLast() async throws {
        let mistakes = await untilItIsKept { limit in
            let mayAnswer = DispatchSemaphore(value: 0)
            let backend = EchoBackend(
                greeting: "r:",
                play: { client in
                    guard client.receive().first == UInt8(ascii: "q") else { return }
                    mayAnswer.wait()
                    client.send(Array("a".utf8))
                    client.receiveToEnd()
                })
            defer { mayAnswer.signal() }
            let proxy = try ProxyUnderTest(ports: [backend.port], session: SessionSettings(idleTimeout: limit))
            let waits = try await proxy.connect()
            var seen = [try await waits.receiveText(2)]
            try await waits.send("q")
            for _ in 0..<3 { seen.append("\(try await proxy.connect().drain())") }
            mayAnswer.signal()
            seen.append(try await waits.receiveText(100))
            await proxy.server.stop(grace: .zero)
            return seen == ["r:", "2", "2", "2", "a"] ? [] : seen
        }
        #expect(mistakes == [])
    }

    @Test func anIdleMySQLSessionIsToldSo() async throws {
        let backend = EchoBackend { $0.serveMySQL() }
        let mistakes = await untilItIsKept { limit in
            let proxy = try ProxyUnderTest(
                ports: [backend.port], engine: .mysql, session: SessionSettings(idleTimeout: limit))
            let client = try await MySQLClient(proxy)
            let (packet, end) = (try await client.packet(), try await client.packet())
            await proxy.server.stop(grace: .zero)
            let isRight = packet?.sequence == 1 && packet?.body.prefix(3) == [0xff, 0xbf, 0x0f] && end == nil
            return isRight ? [] : ["\(packet as Any)"]
        }
        #expect(mistakes == [])
    }

    @Test(arguments: [DatabaseServer.Engine.postgres, .mysql])
    func aShutdownTellsSessionsAtABoundaryEarlyAndTheOthersAtItsEnd(_ engine: DatabaseServer.Engine) async throws {
        let isPostgres = engine == .postgres
        let backend = EchoBackend { isPostgres ? $0.servePostgres() : $0.serveMySQL() }
        var settings = SessionSettings(drainRate: 1000)
        settings.drainGrace = .zero
        let proxy = try ProxyUnderTest(ports: [backend.port], engine: engine, session: settings)
        if isPostgres {
            let (idle, works) = (try await PostgresClient(proxy), try await PostgresClient(proxy))
            #expect(try await works.run("begin") == "T")
            let stopping = Task { await proxy.server.stop(grace: .seconds(5)) }
            let error = try await idle.error()
            #expect(error?.sqlState == "57P01")
            #expect(error?.message == "slave: the proxy shuts down")
            #expect(try await works.run("update") == "T")
            #expect(try await works.error()?.sqlState == "57P01")
            await stopping.value
        } else {
            let (idle, works) = (try await MySQLClient(proxy), try await MySQLClient(proxy))
            #expect(try await works.run("begin") == 3)
            let stopping = Task { await proxy.server.stop(grace: .seconds(5)) }
            #expect(try await idle.packet()?.body.prefix(3) == [0xff, 0x1d, 0x04])
            #expect(try await works.run("update") == 3)
            #expect(try await works.packet()?.body.prefix(3) == [0xff, 0x1d, 0x04])
            await stopping.value
        }
    }

    @Test func aShutdownIsPaced() async throws {
        let backend = EchoBackend { $0.servePostgres() }
        var settings = SessionSettings(drainRate: 10)
        settings.drainGrace = .zero
        let proxy = try ProxyUnderTest(ports: [backend.port], engine: .postgres, session: settings)
        var clients: [PostgresClient] = []
        for _ in 0..<10 { clients.append(try await PostgresClient(proxy)) }
        let start = ContinuousClock.now
        let stopping = Task { await proxy.server.stop(grace: .seconds(100)) }
        for client in clients { #expect(try await client.error()?.sqlState == "57P01") }
        #expect(ContinuousClock.now - start >= .milliseconds(900))
        clients = []
        await stopping.value
    }
}

import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Encrypted sessions move when their server says that they are at a boundary", .timeLimit(.minutes(5)), .explained)
struct EncryptedMovingTests {
    private let replica = EchoBackend { $0.servePostgres() }
    /// Encrypts, and returns each message. It does not answer one that ends in a question mark.
    private let primary = EchoBackend { client in
        guard let first = client.receive(exactly: 8) else { return }
        guard first == PostgresWire.sslRequest else {
            client.sendPostgresWelcome()
            client.receiveToEnd()
            return
        }
        client.send(Array("S".utf8))
        _ = client.receive(exactly: PostgresWire.hello.count)
        client.send(PostgresWire.serverHello)
        while true {
            let message = client.receive()
            if message.isEmpty { return }
            if message.last != UInt8(ascii: "?") { client.send(message) }
        }
    }
    private let down = PingFailure(.refused, "down")

    private func proxy(_ settings: SessionSettings = SessionSettings(drainRate: 1000)) throws -> ProxyUnderTest {
        let proxy = try ProxyUnderTest(
            ports: [replica.port, primary.port], engine: .postgres, session: settings, workers: 1)
        proxy.board.markDown(alias: 0, because: down)
        return proxy
    }

    private func encrypted(_ proxy: ProxyUnderTest) async throws -> TCPClient {
        let client = try await proxy.connect()
        try await client.send(PostgresWire.sslRequest)
        #expect(try await client.receiveText(1) == "S")
        try await client.send(PostgresWire.hello)
        #expect(try await client.receive(PostgresWire.serverHello.count) == PostgresWire.serverHello)
        return client
    }

    private func says(_ text: String, _ client: TCPClient) async throws -> Bool {
        try await client.send(text)
        return try await client.receiveText(text.utf8.count) == text
    }

    private func counts(_ proxy: ProxyUnderTest) async -> TrafficReport.OfRoute {
        await proxy.server.trafficReport().routes[0]
    }

    @Test func theSessionsOfTheAnswerAreClosedAndTheOthersStay() async throws {
        let proxy = try proxy()
        let (home, works) = (try await encrypted(proxy), try await encrypted(proxy))
        proxy.board.markUp(alias: 0)
        var question = try await proxy.question()
        // The second session may follow in a question of its own.
        while question.sessions.count < 2 {
            question.answer(nil)
            question = try await proxy.question()
        }
        #expect(question.alias == 1)
        #expect(question.server == .loopback(port: primary.port))
        // Sessions of one loop have the source ports in no certain order.
        let first = question.sessions[0]
        question.answer([first])
        let (homeEnds, worksEnds) = (Task { try await home.drain() }, Task { try await works.drain() })
        #expect(await eventually { await counts(proxy).attested == 1 })
        #expect(await counts(proxy).moving == 1)
        let next = try await proxy.question()
        #expect(next.sessions == question.sessions.filter { $0 != first })
        next.answer(Set(next.sessions))
        #expect(try await homeEnds.value == 0)
        #expect(try await worksEnds.value == 0)
        #expect(await counts(proxy).moved == 2)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aByteAfterTheQuestionMakesTheAnswerWorthless() async throws {
        let proxy = try proxy()
        let client = try await encrypted(proxy)
        proxy.board.markUp(alias: 0)
        let question = try await proxy.question()
        #expect(try await says("begin", client))
        question.answer(Set(question.sessions))
        // The answer was for nothing, so there is another question.
        let next = try await proxy.question()
        #expect(next.sessions == question.sessions)
        #expect(try await says("commit", client))
        next.answer(Set(next.sessions))
        let last = try await proxy.question()
        #expect(await counts(proxy).moved == 0)
        last.answer(Set(last.sessions))
        #expect(try await client.drain() == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aRouteThatFlipsAgainKeepsThemWhateverTheAnswerSays() async throws {
        let proxy = try proxy()
        let client = try await encrypted(proxy)
        proxy.board.markUp(alias: 0)
        let question = try await proxy.question()
        proxy.board.markDown(alias: 0, because: down)
        question.answer(Set(question.sessions))
        #expect(await eventually { await counts(proxy).moving == 0 })
        for _ in 0..<5 { _ = try await PostgresClient(proxy) }
        #expect(try await says("select", client))
        await proxy.server.stop(grace: .zero)
    }

    @Test func withAttestFalseAndInClearNoServerIsAsked() async throws {
        let proxy = try proxy(SessionSettings(attest: false, drainRate: 1000))
        let client = try await encrypted(proxy)
        let inClear = try await PostgresClient(proxy)
        proxy.board.markUp(alias: 0)
        #expect(try await inClear.error()?.sqlState == "57P01")
        #expect(try await says("select", client))
        #expect(proxy.questionCount == 0)
        #expect(await counts(proxy).movingUnreadable == 1)
        await proxy.server.stop(grace: .zero)
    }

    /// The server may list a session as idle whose request it has not read.
    @Test func aRequestWithoutAnAnswerDelaysTheQuestion() async throws {
        let proxy = try proxy()
        let client = try await encrypted(proxy)
        let start = ContinuousClock.now
        try await client.send("close?")
        proxy.board.markUp(alias: 0)
        let question = try await proxy.question()
        #expect(ContinuousClock.now - start >= .seconds(1))
        question.answer(Set(question.sessions))
        #expect(try await client.drain() == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aServerThatDoesNotTellIsAskedAgain() async throws {
        let proxy = try proxy()
        let client = try await encrypted(proxy)
        proxy.board.markUp(alias: 0)
        for _ in 0..<3 { try await proxy.question().answer(nil) }
        let question = try await proxy.question()
        #expect(try await says("select", client))
        question.answer(nil)
        await proxy.server.stop(grace: .zero)
    }

    @Test func whatArrivesAfterTheCloseIsCountedUnlessItIsAFarewell() async throws {
        let proxy = try proxy()
        for (length, lost) in [(60, 0), (200, 1)] {
            let client = try await encrypted(proxy)
            proxy.board.markUp(alias: 0)
            let question = try await proxy.question()
            question.answer(Set(question.sessions))
            #expect(try await client.drain() == 0)
            try await client.send([UInt8](repeating: 1, count: length))
            client.endSending()
            #expect(await eventually { proxy.server.sessionCount == 0 })
            #expect(await counts(proxy).bytesAfterClose == lost)
            proxy.board.markDown(alias: 0, because: down)
        }
        await proxy.server.stop(grace: .zero)
    }

    @Test func thePaceHoldsForThem() async throws {
        let proxy = try proxy(SessionSettings(drainRate: 10))
        var clients: [TCPClient] = []
        for _ in 0..<12 { clients.append(try await encrypted(proxy)) }
        proxy.board.markUp(alias: 0)
        let start = ContinuousClock.now
        let answers = Task {
            while !Task.isCancelled, let question = try? await proxy.question() {
                question.answer(Set(question.sessions))
            }
        }
        for client in clients { #expect(try await client.drain() == 0) }
        #expect(ContinuousClock.now - start >= .milliseconds(1100))
        answers.cancel()
        #expect(await counts(proxy).attested == 12)
        await proxy.server.stop(grace: .zero)
    }

    @Test func theReportOfSessionsTellsWhoKnows() async throws {
        let proxy = try proxy(SessionSettings(drainIdle: .seconds(3600)))
        let clients = [try await encrypted(proxy), try await encrypted(proxy)]
        @Sendable func boundaries() async -> [SessionBoundary] {
            await proxy.server.sessions(SessionQuery(limit: 10)).map(\.boundary)
        }
        #expect(await boundaries() == [.unknown, .unknown])
        proxy.board.markUp(alias: 0)
        var question = try await proxy.question()
        while question.sessions.count < 2 {
            question.answer(nil)
            question = try await proxy.question()
        }
        question.answer(Set(question.sessions))
        #expect(await eventually { await boundaries() == [.attested, .attested] })
        #expect(try await says("begin", clients[0]))
        #expect(await boundaries() == [.unknown, .attested])
        await proxy.server.stop(grace: .zero)
    }
}

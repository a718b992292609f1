import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite(
    "Encrypted sessions move when their server says that they are at a boundary", .timeLimit(.minutes(5)), .explained)
struct EncryptedMovingTests {
    private let replica = EchoBackend { $0.servePostgres() }
    /// Encrypts, and returns each message. It does not answer one that ends in a question mark.
    private let primary = EchoBackend { client in
        guard client.beginPostgresEncryption() else {
            client.sendPostgresWelcome()
            client.receiveToEnd()
            return
        }
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

    private func says(_ text: String, _ client: TCPClient) async throws -> Bool {
        try await client.send(text)
        return try await client.receiveText(text.utf8.count) == text
    }

    private func counts(_ proxy: ProxyUnderTest) async -> TrafficReport.OfRoute {
        await proxy.server.trafficReport().routes[0]
    }

    @Test func theSessionsOfTheAnswerAreClosedAndTheOthersStay() async throws {
        let proxy = try proxy()
        let (home, works) = (try await proxy.connectEncrypted(), try await proxy.connectEncrypted())
        proxy.board.markUp(alias: 0)
        var question = try await proxy.question()
        // The second session may follow in a question of its own.
        while question.sessions.count < 2 {
            question.answer(.later)
            question = try await proxy.question()
        }
        #expect(question.alias == 1)
        #expect(question.server == .loopback(port: primary.port))
        // Sessions of one loop have the source ports in no certain order.
        let first = question.sessions[0]
        question.answer(.told([first]))
        let (homeEnds, worksEnds) = (Task { try await home.drain() }, Task { try await works.drain() })
        #expect(await eventually { await counts(proxy).attested == 1 })
        #expect(await counts(proxy).moving == 1)
        let next = try await proxy.question()
        #expect(next.sessions == question.sessions.filter { $0 != first })
        next.answer(.told(Set(next.sessions)))
        #expect(try await homeEnds.value == 0)
        #expect(try await worksEnds.value == 0)
        #expect(await counts(proxy).moved == 2)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aByteAfterTheQuestionMakesTheAnswerWorthless() async throws {
        let proxy = try proxy()
        let client = try await proxy.connectEncrypted()
        proxy.board.markUp(alias: 0)
        let question = try await proxy.question()
        #expect(try await says("begin", client))
        question.answer(.told(Set(question.sessions)))
        // The answer was for nothing, so there is another question.
        let next = try await proxy.question()
        #expect(next.sessions == question.sessions)
        #expect(try await says("commit", client))
        next.answer(.told(Set(next.sessions)))
        let last = try await proxy.question()
        #expect(await counts(proxy).moved == 0)
        last.answer(.told(Set(last.sessions)))
        #expect(try await client.drain() == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aRouteThatFlipsAgainKeepsThemWhateverTheAnswerSays() async throws {
        var settings = SessionSettings(drainRate: 1000)
        settings.drainGrace = .zero
        let proxy = try proxy(settings)
        let client = try await proxy.connectEncrypted()
        proxy.board.markUp(alias: 0)
        let question = try await proxy.question()
        proxy.board.markDown(alias: 0, because: down)
        question.answer(.told(Set(question.sessions)))
        #expect(await eventually { await counts(proxy).moving == 0 })
        for _ in 0..<5 { _ = try await PostgresClient(proxy) }
        #expect(try await says("select", client))
        await proxy.server.stop(grace: .zero)
    }

    @Test func withAttestFalseAndInClearNoServerIsAsked() async throws {
        let proxy = try proxy(SessionSettings(attest: false, drainRate: 1000))
        let client = try await proxy.connectEncrypted()
        let inClear = try await PostgresClient(proxy)
        proxy.board.markUp(alias: 0)
        #expect(try await inClear.error()?.sqlState == "57P01")
        #expect(try await says("select", client))
        #expect(proxy.questionCount == 0)
        #expect(await counts(proxy).movingUnreadable == 1)
        await proxy.server.stop(grace: .zero)
    }

    /// The server may list a session as idle whose request it has not read, or of which it has only half.
    @Test func noQuestionIsAskedForAClientThatWaits() async throws {
        let proxy = try proxy()
        let (waits, idle) = (try await proxy.connectEncrypted(), try await proxy.connectEncrypted())
        try await waits.send("select?")
        #expect(await eventually { await counts(proxy).fromClients >= UInt64("select?".utf8.count) })
        proxy.board.markUp(alias: 0)
        for _ in 0..<10 {
            let question = try await proxy.question()
            #expect(question.sessions.count == 1)
            question.answer(.later)
        }
        let question = try await proxy.question()
        question.answer(.told(Set(question.sessions)))
        #expect(try await idle.drain() == 0)
        #expect(await counts(proxy).moved == 1)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aServerThatDoesNotTellIsAskedAgain() async throws {
        let proxy = try proxy()
        let client = try await proxy.connectEncrypted()
        proxy.board.markUp(alias: 0)
        try await proxy.question().answer(.untold)
        let question = try await proxy.question()
        #expect(try await says("select", client))
        question.answer(.later)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aRequestThatArrivesAfterTheCloseIsCounted() async throws {
        let proxy = try proxy()
        let request: [UInt8] = [23, 3, 3, 0, 30] + [UInt8](repeating: 1, count: 30)
        // On a slow day, the proxy no longer waits for the client when it sends.
        for attempt in 1...5 where await counts(proxy).bytesAfterClose == 0 {
            let client = try await proxy.connectEncrypted()
            proxy.board.markUp(alias: 0)
            let question = try await proxy.question()
            question.answer(.told(Set(question.sessions)))
            #expect(await eventually { await counts(proxy).moved == attempt })
            try? await client.send(request)
            client.endSending()
            #expect(await eventually { proxy.server.sessionCount == 0 })
            proxy.board.markDown(alias: 0, because: down)
        }
        #expect(await counts(proxy).bytesAfterClose == 1)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aFarewellIsNoRequest() {
        func isFarewell(_ bytes: [UInt8], isReadable: Bool = false) -> Bool {
            bytes.withUnsafeBytes { Farewell.isOne($0, isReadable: isReadable) }
        }
        func record(_ type: UInt8, _ length: Int) -> [UInt8] {
            [type, 3, 3, UInt8(length >> 8), UInt8(length & 255)] + [UInt8](repeating: 0, count: length)
        }
        #expect(isFarewell(PostgresWire.message("X", []), isReadable: true))
        #expect(!isFarewell(PostgresWire.query("commit"), isReadable: true))
        // In TLS 1.3 and 1.2, each with the end of the TLS session.
        #expect(isFarewell(record(23, 22) + record(23, 19)))
        #expect(isFarewell(record(23, 29) + record(21, 26)))
        #expect(isFarewell(record(21, 26)))
        #expect(!isFarewell(record(23, 31)))
        #expect(!isFarewell(record(23, 16_401)))
        // COM_QUIT and COM_QUERY in a compressed packet.
        #expect(isFarewell([5, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]))
        #expect(!isFarewell([15, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 65, count: 15)))
        for length in 0..<5 { #expect(isFarewell([UInt8](repeating: 23, count: length))) }
    }

    @Test func thePaceHoldsForThem() async throws {
        let proxy = try proxy(SessionSettings(drainRate: 10))
        var clients: [TCPClient] = []
        for _ in 0..<12 { clients.append(try await proxy.connectEncrypted()) }
        proxy.board.markUp(alias: 0)
        let start = ContinuousClock.now
        proxy.answerQuestions { .told(Set($0.sessions)) }
        for client in clients { #expect(try await client.drain() == 0) }
        #expect(ContinuousClock.now - start >= .milliseconds(1100))
        #expect(await counts(proxy).attested == 12)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aReloadThatTurnsTheQuestionsOffKeepsThemToo() async throws {
        // Attested, but not idle for long enough.
        let long = SessionSettings(drainIdle: .seconds(3600), drainBusyAfter: .seconds(3600), drainRate: 1000)
        let proxy = try proxy(long)
        let client = try await proxy.connectEncrypted()
        proxy.board.markUp(alias: 0)
        proxy.answerQuestions { .told(Set($0.sessions)) }
        @Sendable func boundary() async -> SessionBoundary? {
            await proxy.server.sessions(SessionQuery(limit: 10)).first?.boundary
        }
        #expect(await eventually { await boundary() == .attested })
        try await proxy.change(session: SessionSettings(attest: false, drainRate: 1000))
        #expect(await eventually { await boundary() == .unknown })
        for _ in 0..<5 { _ = try await PostgresClient(proxy) }
        #expect(try await says("select", client))
        await proxy.server.stop(grace: .zero)
    }

    @Test func theLongestIdleGoesFirst() async throws {
        let order = [2, 0, 3, 1]
        // On a slow machine, a client may read its end later than the next one.
        let seen = try await patiently(.milliseconds(200), until: { $0 == order }) { interval in
            var settings = SessionSettings(
                drainBusyAfter: .seconds(3600), drainRate: max(1, Int(Duration.seconds(1) / interval)))
            settings.drainGrace = .zero
            let proxy = try proxy(settings)
            var clients: [TCPClient] = []
            for _ in order { clients.append(try await proxy.connectEncrypted()) }
            for index in order { #expect(try await says("select", clients[index])) }
            proxy.answerQuestions { .told(Set($0.sessions)) }
            proxy.board.markUp(alias: 0)
            let seen = try await withThrowingTaskGroup(of: Int.self) { group in
                for (index, client) in clients.enumerated() {
                    group.addTask {
                        _ = try await client.drain()
                        return index
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            await proxy.server.stop(grace: .zero)
            return seen
        }
        #expect(seen == order)
    }

    @Test func theReportOfSessionsTellsWhoKnows() async throws {
        let proxy = try proxy(SessionSettings(drainIdle: .seconds(3600), drainBusyAfter: .seconds(3600)))
        let clients = [try await proxy.connectEncrypted(), try await proxy.connectEncrypted()]
        @Sendable func boundaries() async -> [SessionBoundary] {
            await proxy.server.sessions(SessionQuery(limit: 10)).map(\.boundary)
        }
        #expect(await boundaries() == [.unknown, .unknown])
        proxy.board.markUp(alias: 0)
        var question = try await proxy.question()
        while question.sessions.count < 2 {
            question.answer(.later)
            question = try await proxy.question()
        }
        question.answer(.told(Set(question.sessions)))
        #expect(await eventually { await boundaries() == [.attested, .attested] })
        #expect(try await says("begin", clients[0]))
        #expect(await boundaries() == [.unknown, .attested])
        await proxy.server.stop(grace: .zero)
    }
}

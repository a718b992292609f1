import FailoverChecks
import FailoverCore
import FailoverProxy
import FailoverSystem
import FailoverTesting
import Logging
import Metrics
import Testing

@testable import Failover

@Suite("Questions to servers about sessions that cannot be read", .timeLimit(.minutes(5)))
final class BoundaryInquiryTests: Sendable {
    private let clock = ManualClock()
    private let log = CapturedLog()
    private let server = DatabaseServer(engine: .postgres, endpoint: .tcp(host: "db", port: 5432), user: "monitor")
    private let address = SocketAddress(bytes: [1], description: "192.0.2.1:5432")
    private let asked = Lock<[[SocketAddress]]>([])
    private let answers = Lock<[BoundaryAnswer]>([])
    /// How long the server needs for an answer.
    private let duration = Lock(Duration.zero)

    private final class Given: Sendable {
        let answers = Lock<[SocketAddress: BoundaryReply]>([:])
    }

    private func inquiry() -> BoundaryInquiry {
        BoundaryInquiry(clock: MonotonicClock(clock), log: log.logger, metrics: NOOPMetricsHandler.instance) { _, _ in
            { [self] sources in
                asked.withLock { $0.append(sources) }
                clock.advance(by: duration.withLock { $0 })
                return answers.withLock { $0.isEmpty ? .attested([]) : $0.removeFirst() }
            }
        }
    }

    private func source(_ number: UInt8) -> SocketAddress {
        SocketAddress(bytes: [2, number], description: "192.0.2.2:\(number)")
    }

    /// Asks for these sessions, each in a question of its own, as several loops do.
    ///
    /// - Returns: the answers, in the same order.
    private func ask(_ inquiry: BoundaryInquiry, _ sources: [SocketAddress]) async -> [BoundaryReply?] {
        let given = Given()
        for source in sources {
            await inquiry.ask(
                BoundaryQuestion(alias: 0, server: address, sessions: [source]) { answer in
                    given.answers.withLock { $0[source] = answer }
                }, alias: "slave", server: server)
        }
        // A server that is left alone is not asked, so there is an answer at once.
        if given.answers.withLock({ $0.isEmpty }) {
            #expect(await eventually { !clock.wakes.isEmpty })
            clock.advance(by: .milliseconds(5))
            #expect(await eventually { given.answers.withLock { $0.count } == sources.count })
        }
        return given.answers.withLock { answers in sources.map { answers[$0] } }
    }

    @Test func theQuestionsOfAllLoopsAreOneAndEachGetsItsOwnAnswer() async {
        let inquiry = inquiry()
        answers.withLock { $0 = [.attested([source(1), source(3)])] }
        let answer = await ask(inquiry, [source(1), source(2)])
        #expect(answer == [.told([source(1)]), .told([])])
        #expect(asked.withLock { $0 } == [[source(1), source(2)]])
    }

    @Test func aServerThatDoesNotTellIsLeftAloneForLongerAndLonger() async {
        let inquiry = inquiry()
        answers.withLock { $0 = Array(repeating: .failed("refused"), count: 3) }
        var questions: [Int] = []
        for pause in [0, 500, 600, 500, 1600, 3000, 1100] {
            clock.advance(by: .milliseconds(pause))
            _ = await ask(inquiry, [source(1)])
            questions.append(asked.withLock { $0.count })
        }
        // After the pauses of one, two and four seconds.
        #expect(questions.last == 4)
        #expect(questions[1] == 1)
        #expect(questions[3] == 2)
        #expect(questions[5] == 3)
    }

    /// A list of many sessions is work for a server.
    @Test func aSlowAnswerIsFollowedByARestUnlessItIncludedALogin() async {
        let inquiry = inquiry()
        duration.withLock { $0 = .milliseconds(300) }
        _ = await ask(inquiry, [source(1)])
        #expect(await ask(inquiry, [source(1)]) == [.told([])])
        #expect(await ask(inquiry, [source(1)]) == [.later])
        clock.advance(by: .milliseconds(2699))
        #expect(await ask(inquiry, [source(1)]) == [.later])
        clock.advance(by: .milliseconds(1))
        #expect(await ask(inquiry, [source(1)]) == [.told([])])
    }

    @Test func theLogHasOneLineForEachChange() async {
        let inquiry = inquiry()
        answers.withLock {
            $0 = [.hidden(remedy: "GRANT a"), .hidden(remedy: "GRANT a"), .blind, .attested([]), .attested([])]
        }
        for _ in 0..<5 {
            _ = await ask(inquiry, [source(1)])
            clock.advance(by: .seconds(31))
        }
        #expect(
            log.lines == [
                """
                warning slave: encrypted sessions stay where they are: the server does not show the user of the pings \
                which are in a transaction; the remedy is: GRANT a
                """,
                """
                warning slave: encrypted sessions stay where they are: 192.0.2.1:5432 lists other client addresses than the \
                proxy's, so that it cannot tell which are in a transaction
                """,
                "info slave: 192.0.2.1:5432 tells again which encrypted sessions are in a transaction",
            ])
    }
}

import FailoverChecks
import FailoverCore
import FailoverMonitor
import FailoverProxy
import FailoverSystem
import Logging
import Metrics

/// Asks servers which sessions that the proxy cannot read are at a transaction boundary, while such sessions wait to be
/// moved. Each server gets at most four questions per second, on a connection of its own, and is left alone while it
/// does not tell.
///
/// The questions have nothing to do with pings: a server that does not answer them is not down.
actor BoundaryInquiry {
    /// Asks one server for the sessions that have these addresses.
    typealias Asker = @Sendable (_ sources: [SocketAddress]) async -> BoundaryAnswer

    private struct Place: Hashable {
        let server: DatabaseServer
        let address: SocketAddress
    }

    /// What is known of a server. It stays within the actor.
    private final class Inquired {
        let address: SocketAddress
        let ask: Asker
        /// Questions of several loops, which the server gets as one.
        var collected: [BoundaryQuestion] = []
        var isAsking = false
        /// Earlier questions get no answer.
        var notBefore: MonotonicTime
        /// The time without questions after the next one that fails.
        var pause = BoundaryInquiry.shortestPause
        /// What the log said last of this server: the name of an answer, or a remedy; `nil` if it tells.
        var trouble: String?
        var lastUse: MonotonicTime
        /// When the server told something last.
        var lastAnswer: MonotonicTime?

        init(address: SocketAddress, ask: @escaping Asker, now: MonotonicTime) {
            self.address = address
            self.ask = ask
            notBefore = now
            lastUse = now
        }
    }

    /// The loops ask at the same time, but none is quite punctual.
    private static let collectingTime = Duration.milliseconds(5)
    /// A question may take this part of the server's time: one in ten.
    private static let restFactor = 10
    private static let longestRest = Duration.seconds(5)
    /// A question that comes later than this after the one before includes a login, so its duration says little.
    private static let loginTime = Duration.seconds(4)
    private static let shortestPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(30)
    /// The time between two questions is hardly shorter, however late a loop asks.
    private static let shortestRest = Duration.milliseconds(200)
    /// How long a server that is not asked is remembered, so that the log does not repeat itself.
    private static let memory = Duration.seconds(3600)
    /// The maximum number of sessions in one question.
    private static let most = 4000

    private let clock: MonotonicClock
    private let log: Logger
    private nonisolated let metrics: any MetricsFactory
    private let makeAsker: @Sendable (DatabaseServer, SocketAddress) -> Asker
    private var inquired: [Place: Inquired] = [:]

    init(
        clock: MonotonicClock, log: Logger, metrics: any MetricsFactory,
        makeAsker: @escaping @Sendable (DatabaseServer, SocketAddress) -> Asker
    ) {
        self.clock = clock
        self.log = log
        self.metrics = metrics
        self.makeAsker = makeAsker
    }

    init(environment: MonitorEnvironment, threads: BlockingThreads) {
        self.init(clock: environment.clock, log: environment.log, metrics: environment.metrics) { server, address in
            let check = BoundaryCheck(server: server, address: address, threads: threads)
            return { await check.answer(for: $0) }
        }
    }

    /// Adds the metrics of these aliases. A scrape shows them before the first question.
    nonisolated func provideMetrics(ofAliases names: [String]) {
        for alias in names {
            for result in AnswerKind.allCases { counter(alias, result).increment(by: 0) }
        }
    }

    private nonisolated func counter(_ alias: String, _ result: AnswerKind) -> Counter {
        Counter(
            label: "failover_boundary_questions_total", dimensions: [("alias", alias), ("result", result.rawValue)],
            factory: metrics)
    }

    /// Asks the server, and gives the answer to the question. There is none while the server is left alone.
    ///
    /// - Parameters:
    ///   - alias: the alias's name, for the log.
    ///   - server: how the monitor logs in.
    func ask(_ question: BoundaryQuestion, alias: String, server: DatabaseServer) {
        let (now, place) = (clock.now, Place(server: server, address: question.server))
        inquired = inquired.filter {
            $1.isAsking || !$1.collected.isEmpty || $1.lastUse.duration(to: now) < Self.memory
        }
        let inquiry =
            inquired[place]
            ?? Inquired(
                address: question.server, ask: makeAsker(server, question.server), now: now)
        inquired[place] = inquiry
        inquiry.lastUse = now
        let collected = inquiry.collected.reduce(0) { $0 + $1.sessions.count }
        if inquiry.isAsking || now < inquiry.notBefore || collected + question.sessions.count > Self.most {
            question.answer(inquiry.isAsking || inquiry.trouble == nil ? .later : .untold)
        } else {
            inquiry.collected.append(question)
            if inquiry.collected.count == 1 { Task { await askTogether(inquiry, alias: alias) } }
        }
    }

    /// Asks for all sessions that the loops have asked for meanwhile.
    private func askTogether(_ inquiry: Inquired, alias: String) async {
        try? await clock.sleep(until: clock.now.advanced(by: Self.collectingTime))
        let questions = inquiry.collected
        inquiry.collected = []
        inquiry.isAsking = true
        let start = clock.now
        let answer = await inquiry.ask(questions.flatMap(\.sessions))
        let end = clock.now
        inquiry.isAsking = false
        note(answer, inquiry, alias: alias)
        if case .attested(let addresses) = answer {
            let isLoggedIn = inquiry.lastAnswer.map { $0.duration(to: start) < Self.loginTime } ?? false
            let rest = isLoggedIn ? min(start.duration(to: end) * Self.restFactor, Self.longestRest) : .zero
            inquiry.lastAnswer = end
            inquiry.notBefore = start.advanced(by: max(Self.shortestRest, rest))
            inquiry.pause = max(Self.shortestPause, inquiry.pause / 2)
            for question in questions { question.answer(.told(addresses.intersection(question.sessions))) }
        } else {
            inquiry.notBefore = end.advanced(by: inquiry.pause)
            inquiry.pause = min(inquiry.pause * 2, Self.longestPause)
            for question in questions { question.answer(.untold) }
        }
    }

    /// Counts the answer, and logs what has changed.
    private func note(_ answer: BoundaryAnswer, _ inquiry: Inquired, alias: String) {
        counter(alias, answer.result).increment()
        let trouble: String? =
            switch answer {
            case .attested: nil
            case .hidden(let remedy): remedy
            case .blind, .failed: answer.result.rawValue
            }
        guard trouble != inquiry.trouble else { return }
        inquiry.trouble = trouble
        switch answer {
        case .attested:
            log.info("\(alias): \(inquiry.address) tells again which encrypted sessions are in a transaction")
        case .hidden(let remedy):
            log.warning(
                """
                \(alias): encrypted sessions stay where they are: the server does not show the user of the pings \
                which are in a transaction; the remedy is: \(remedy)
                """)
        case .blind:
            log.warning(
                """
                \(alias): encrypted sessions stay where they are: \(inquiry.address) lists other client addresses than the \
                proxy's, so that it cannot tell which are in a transaction
                """)
        case .failed(let reason):
            log.warning(
                """
                \(alias): encrypted sessions stay where they are for now: the question which are in a transaction \
                failed
                """, metadata: ["detail": "\(reason)"])
        }
    }
}

/// The kinds of answers, as the metric has them.
private enum AnswerKind: String, CaseIterable {
    case answered, hidden, blind, failed
}

extension BoundaryAnswer {
    fileprivate var result: AnswerKind {
        switch self {
        case .attested: .answered
        case .hidden: .hidden
        case .blind: .blind
        case .failed: .failed
        }
    }
}

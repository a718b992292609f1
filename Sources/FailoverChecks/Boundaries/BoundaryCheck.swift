import Dispatch
package import FailoverCore
package import FailoverSystem

/// Asks the server at one address which of the proxy's connections to it are at a transaction boundary.
///
/// The first question logs in, on a thread of its own. The connection stays for the next questions, and ends a few
/// seconds after the last one, or with this object. A server that does not answer holds up only this thread: the asker
/// waits no longer than the time limit, and until the thread has returned, further questions fail at once.
package actor BoundaryCheck {
    private let address: SocketAddress
    private let threads: BlockingThreads
    /// The server, with the password that it has last accepted.
    private var server: DatabaseServer
    /// The latest question's outcome.
    private var outcome: Promise<BoundaryRequest.Outcome>?
    /// Where the thread waits for the next question, or has left.
    private var turn: BoundaryTurn?

    /// The time limit of a question on a connection that is logged in.
    static let limit = Duration.seconds(1)
    /// The time limit of a question with a login.
    static let limitWithLogin = Duration.seconds(3)
    /// How long a connection stays without questions.
    static let idleTime = Duration.seconds(5)
    /// How old a connection becomes. The next one reads the server's settings and the permissions.
    static let longestLife = Duration.seconds(60)
    /// The extra time before the asker stops waiting. The thread returns at the limit by itself, and its failure names
    /// what it waited for.
    private static let grace = Duration.milliseconds(150)

    /// - Parameters:
    ///   - server: the server and the monitoring user. Its alternatives are not used.
    ///   - address: the address that the connections are to.
    package init(server: DatabaseServer, address: SocketAddress, threads: BlockingThreads) {
        self.server = server
        self.address = address
        self.threads = threads
    }

    deinit { turn?.give(nil) }

    /// Asks once. Only one question can be asked at a time.
    ///
    /// - Parameter sources: the proxy's own addresses of the connections (getsockname). Unix sockets are not attested:
    ///   servers do not tell them apart.
    package func answer(for sources: [SocketAddress]) async -> BoundaryAnswer {
        guard server.engine != .tcp else { return .failed("\(address): engine tcp has no sessions to ask for") }
        guard !address.isUnix, sources.contains(where: { $0.port != nil }) else { return .attested([]) }
        if let outcome, outcome.given == nil {
            return .failed("\(address): an earlier question has not returned yet")
        }
        let timers = TimerQueue.system
        var limit = Self.limit
        var question = BoundaryRequest(sources: sources, limit: limit)
        if turn?.give(question) != true {
            limit = Self.limitWithLogin
            question = BoundaryRequest(sources: sources, limit: limit)
            do { try threads.start { [server, address, question] in question.serve(server, address) } } catch {
                return .failed("\(address): \(error.detail)")
            }
        }
        turn = question.next
        outcome = question.outcome
        let end = timers.clock.now.advanced(by: limit + Self.grace)
        guard let outcome = await question.outcome.value(until: end, timers) else {
            return .failed("\(address) gave no answer within \(limit.text)")
        }
        if let password = outcome.password { server.password = password }
        return outcome.answer
    }
}

/// Where a thread with a connection waits for its next question. The asker may come, or the thread may leave; only one
/// of them.
final class BoundaryTurn: Sendable {
    /// The question; `nil` once no more can be asked here.
    private let question = Promise<BoundaryRequest?>()
    private let wakeUp = DispatchSemaphore(value: 0)

    /// Hands over the next question, or `nil` to end the connection.
    ///
    /// - Returns: whether the thread takes it. Otherwise it has left.
    @discardableResult func give(_ question: BoundaryRequest?) -> Bool {
        let isTaken = self.question.offer(question)
        wakeUp.signal()
        return isTaken
    }

    /// Waits for the next question, and leaves if there is none in time. This blocks.
    func wait(atMost time: Duration) -> BoundaryRequest? {
        if wakeUp.wait(timeout: .now() + .nanoseconds(Int(clamping: time.nanoseconds))) == .timedOut {
            question.give(nil)
        }
        // Without the removal, each question would hold all that follow it.
        return question.remove() ?? nil
    }
}

/// A question on its way to the thread that asks the server, and the outcome on its way back.
struct BoundaryRequest: Sendable {
    struct Outcome: Sendable {
        var answer: BoundaryAnswer
        /// A password that the server has accepted in place of the earlier one.
        var password: Secret?
    }

    let sources: [SocketAddress]
    let limit: Duration
    private let deadline: Deadline
    let outcome = Promise<Outcome>()
    let next = BoundaryTurn()

    init(sources: [SocketAddress], limit: Duration) {
        self.sources = sources
        self.limit = limit
        deadline = Deadline(limit)
    }

    /// Logs in, asks this question and those that follow, and ends the connection. This blocks.
    func serve(_ server: DatabaseServer, _ address: SocketAddress) {
        switch server.engine {
        case .postgres: serve(PostgresBoundaries.self, server, address)
        case .mysql: serve(MySQLBoundaries.self, server, address)
        case .tcp: end(.failed("\(address): engine tcp has no sessions to ask for"))
        }
    }

    private func serve<Session: BoundarySession & ~Copyable>(
        _ type: Session.Type, _ server: DatabaseServer, _ address: SocketAddress
    ) {
        do {
            try logInAndServe(type, server, attempt(address, server.password), address)
        } catch {
            guard error.reason == .authentication, let password = server.rotatedPassword else {
                return end(.failed(error.detail))
            }
            var server = server
            server.password = password
            do {
                try logInAndServe(type, server, attempt(address, password), address, newPassword: password)
            } catch { end(.failed(error.detail)) }
        }
    }

    /// - Throws: only failures of the login, before a question has been answered.
    private func logInAndServe<Session: BoundarySession & ~Copyable>(
        _: Session.Type, _ server: DatabaseServer, _ attempt: PingAttempt, _ address: SocketAddress,
        newPassword: Secret? = nil
    ) throws(PingFailure) {
        var session = try Session(server, attempt)
        let death = Deadline(BoundaryCheck.longestLife)
        var question = self
        while true {
            do {
                let answer = try session.answer(
                    for: question.sources, question.attempt(address, server.password))
                if answer.isLasting || death.hasPassed { return question.end(answer, newPassword) }
                question.outcome.give(Outcome(answer: answer, password: newPassword))
            } catch {
                return question.end(.failed(error.detail), newPassword)
            }
            guard let next = question.next.wait(atMost: BoundaryCheck.idleTime) else { return }
            question = next
        }
    }

    /// Answers the question as the last one of this connection.
    private func end(_ answer: BoundaryAnswer, _ password: Secret? = nil) {
        next.give(nil)
        outcome.give(Outcome(answer: answer, password: password))
    }

    private func attempt(_ address: SocketAddress, _ secret: Secret?) -> PingAttempt {
        PingAttempt(
            address: address, peer: address.description, deadline: deadline, request: PingRequest(limit: limit),
            progress: PingProgress(peer: address.description, limit: limit), secret: secret)
    }
}

import FailoverCore
import FailoverProxy

/// Asks the event loops what sessions have done, and keeps how many arrived lately.
///
/// Who asks waits without a task or a timer of its own: an answer of the admin plane must cost little while the loops are
/// busy. Those whom loops that do not turn leave waiting are let go by the clock that ticks for all.
final class TrafficDesk: Sendable {
    private struct Question {
        let asked: MonotonicTime
        let answer: CheckedContinuation<TrafficReport?, Never>
    }

    private struct State {
        var questions: [Int: Question] = [:]
        var next = 0
        var isOpen = true
        var history = TrafficHistory()
    }

    private static let interval = Duration.seconds(1)
    /// After which nobody waits for an answer any more.
    private static let patience = Duration.seconds(1)

    private let proxy: ProxyServer
    private let clock: MonotonicClock
    private let state = Lock(State())

    init(_ proxy: ProxyServer, _ clock: MonotonicClock) {
        self.proxy = proxy
        self.clock = clock
    }

    /// What sessions have done; `nil` when the loops do not say so in two seconds, and once ``run()`` has ended.
    func report() async -> TrafficReport? {
        await withCheckedContinuation { answer in
            guard let number = note(answer) else { return answer.resume(returning: nil) }
            proxy.tellTraffic { [weak self] in self?.take(number)?.answer.resume(returning: $0) }
        }
    }

    /// How many sessions of the route arrived in each of the last seconds.
    func arrivals(ofRoute route: Int) -> [Int] { state.withLock { $0.history.arrivals(ofRoute: route) } }

    /// Counts who arrives and lets those go who have waited too long, until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            proxy.tellTraffic { [weak self] report in self?.state.withLock { $0.history.add(report) } }
            try? await clock.sleep(until: clock.now.advanced(by: Self.interval))
            let now = clock.now
            letGo { $0.asked.duration(to: now) >= Self.patience }
        }
        state.withLock { $0.isOpen = false }
        letGo { _ in true }
    }

    /// - Returns: The question's number; `nil` when no more are taken.
    private func note(_ answer: CheckedContinuation<TrafficReport?, Never>) -> Int? {
        state.withLock { state in
            guard state.isOpen else { return nil }
            state.next += 1
            state.questions[state.next] = Question(asked: clock.now, answer: answer)
            return state.next
        }
    }

    private func take(_ number: Int) -> Question? {
        state.withLock { $0.questions.removeValue(forKey: number) }
    }

    private func letGo(_ isLate: (Question) -> Bool) {
        let late = state.withLock { state in
            let late = state.questions.filter { isLate($0.value) }
            for number in late.keys { state.questions[number] = nil }
            return late
        }
        for question in late.values { question.answer.resume(returning: nil) }
    }
}

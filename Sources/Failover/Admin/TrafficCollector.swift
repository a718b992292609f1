import FailoverCore
import FailoverProxy

/// Asks the event loops for the sessions' counts, and records how many sessions arrived recently.
///
/// A caller waits without a task or a timer of its own, because an answer of the admin plane must cost little while
/// the loops are busy. One shared clock releases the callers that blocked loops keep waiting.
final class TrafficCollector: Sendable {
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
    /// After this time no caller waits any longer.
    private static let timeout = Duration.seconds(1)

    private let proxy: ProxyServer
    private let clock: MonotonicClock
    private let state = Lock(State())

    init(_ proxy: ProxyServer, _ clock: MonotonicClock) {
        self.proxy = proxy
        self.clock = clock
    }

    /// The sessions' counts; `nil` if the loops do not answer within two seconds, or after ``run()`` has ended.
    func report() async -> TrafficReport? {
        await withCheckedContinuation { answer in
            guard let number = note(answer) else { return answer.resume(returning: nil) }
            proxy.tellTraffic { [weak self] in self?.take(number)?.answer.resume(returning: $0) }
        }
    }

    /// The number of the route's sessions that arrived in each of the last seconds.
    func arrivals(ofRoute route: Int) -> [Int] { state.withLock { $0.history.arrivals(ofRoute: route) } }

    /// Forgets the arrivals of routes whose positions were given to others.
    func forget(routes: Set<Int>) { state.withLock { $0.history.forget(routes) } }

    /// Counts arriving sessions, and releases callers that have waited too long, until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            proxy.tellTraffic { [weak self] report in self?.state.withLock { $0.history.add(report) } }
            try? await clock.sleep(until: clock.now.advanced(by: Self.interval))
            let now = clock.now
            letGo { $0.asked.duration(to: now) >= Self.timeout }
        }
        state.withLock { $0.isOpen = false }
        letGo { _ in true }
    }

    /// - Returns: the request's number; `nil` if no more requests are accepted.
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

/// The number of sessions of each route that arrived in each of the last seconds.
struct TrafficHistory {
    /// The number of seconds that are kept.
    static let capacity = 120

    private var last: [Int]?
    /// By route, the oldest second first.
    private var arrivals: [[Int]] = []

    /// The arrivals of a route.
    func arrivals(ofRoute route: Int) -> [Int] { route < arrivals.count ? arrivals[route] : [] }

    mutating func forget(_ routes: Set<Int>) {
        for route in routes where route < arrivals.count { arrivals[route] = [] }
        // A report that is on its way may still be of the former route.
        for route in routes where route < last?.count ?? 0 { last?[route] = .max }
    }

    /// Adds the counts of one second after the previous report.
    mutating func add(_ report: TrafficReport) {
        let now = report.routes.map(\.accepted)
        defer { last = now }
        guard let last else { return }
        while arrivals.count < last.count { arrivals.append([]) }
        for route in last.indices {
            if arrivals[route].count == Self.capacity { arrivals[route].removeFirst() }
            arrivals[route].append(max(0, now[route] - last[route]))
        }
    }
}

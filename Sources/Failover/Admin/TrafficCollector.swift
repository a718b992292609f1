import FailoverCore
import FailoverProxy

/// Requests the counts of sessions from the event loops, and records how many sessions arrived recently.
///
/// A waiting caller has no task and no timer of its own, so that a request to the admin plane costs little while the
/// loops are busy. If loops do not answer, one shared timer ends the wait of all callers.
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
    /// A caller that has waited for this time gets no report.
    private static let timeout = Duration.seconds(1)

    private let proxy: ProxyServer
    private let clock: MonotonicClock
    private let state = Lock(State())

    init(_ proxy: ProxyServer, _ clock: MonotonicClock) {
        self.proxy = proxy
        self.clock = clock
    }

    /// The counts of sessions; `nil` if the loops do not answer within two seconds, or if ``run()`` has ended.
    func report() async -> TrafficReport? {
        await withCheckedContinuation { answer in
            guard let number = note(answer) else { return answer.resume(returning: nil) }
            proxy.tellTraffic { [weak self] in self?.take(number)?.answer.resume(returning: $0) }
        }
    }

    /// The number of sessions of the route that arrived in each of the last 120 seconds, oldest first.
    func arrivals(ofRoute route: Int) -> [Int] { state.withLock { $0.history.arrivals(ofRoute: route) } }

    /// Removes the arrivals of routes whose positions other routes have taken.
    func forget(routes: Set<Int>) { state.withLock { $0.history.forget(routes) } }

    /// Counts arriving sessions, and ends waits that are too long, until the task is cancelled.
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

    /// - Returns: the number of the request; `nil` if no more requests are accepted.
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
    /// For each route, the oldest second first.
    private var arrivals: [[Int]] = []

    /// The arrivals of a route.
    func arrivals(ofRoute route: Int) -> [Int] { route < arrivals.count ? arrivals[route] : [] }

    mutating func forget(_ routes: Set<Int>) {
        for route in routes where route < arrivals.count { arrivals[route] = [] }
        // The next report may still contain the counts of the former route.
        for route in routes where route < last?.count ?? 0 { last?[route] = .max }
    }

    /// Adds a report, one second after the previous one.
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

/// The counts of sessions by the names of routes and aliases. After a reload, two may have the same name: one with a
/// new address or engine, and the former one. Their counts are added.
struct TrafficByName {
    struct OfRoute {
        let name: String
        /// The counts of the route as a whole.
        var counts: TrafficReport.OfRoute
        /// The sessions of each alias. The current aliases of the route come first.
        var aliases: [(name: String, sessions: Sessions)]
    }

    struct Sessions {
        var open = 0
        var served = 0
    }

    private(set) var routes: [OfRoute] = []
    private(set) var failures: [(alias: String, kinds: [BackendErrorKind: Int])] = []

    init(_ report: TrafficReport, _ table: RouteTable) {
        var positions: [String: Int] = [:]
        for (route, counts) in zip(table.routes, report.routes) {
            let position = positions[route.name] ?? routes.count
            positions[route.name] = position
            add(counts, of: route, table, at: position)
        }
        positions = [:]
        for (alias, kinds) in zip(table.aliases, report.failures) {
            let position = positions[alias.name] ?? failures.count
            positions[alias.name] = position
            if position == failures.count { failures.append((alias.name, [:])) }
            failures[position].kinds.merge(kinds, uniquingKeysWith: +)
        }
    }

    private mutating func add(_ counts: TrafficReport.OfRoute, of route: Route, _ table: RouteTable, at index: Int) {
        if index == routes.count {
            routes.append(OfRoute(name: route.name, counts: counts, aliases: []))
        } else {
            routes[index].counts.add(counts)
        }
        let others = counts.served.keys.filter { !route.aliases.contains($0) }.sorted()
        for alias in route.aliases + others {
            let name = table.aliases[alias].name
            let position = routes[index].aliases.firstIndex { $0.name == name } ?? routes[index].aliases.count
            if position == routes[index].aliases.count { routes[index].aliases.append((name, Sessions())) }
            routes[index].aliases[position].sessions.open += counts.open[alias] ?? 0
            routes[index].aliases[position].sessions.served += counts.served[alias] ?? 0
        }
    }
}

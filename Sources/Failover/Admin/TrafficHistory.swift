import FailoverProxy

/// How many sessions of each route arrived in each of the last seconds.
struct TrafficHistory {
    /// Seconds that are kept.
    static let capacity = 120

    private var last: [Int]?
    /// By route, oldest first.
    private(set) var arrivals: [[Int]]

    init(routes: Int) { arrivals = Array(repeating: [], count: routes) }

    /// What had been counted a second after the last time.
    mutating func add(_ report: TrafficReport) {
        let now = report.routes.map(\.accepted)
        defer { last = now }
        guard let last else { return }
        for route in arrivals.indices {
            if arrivals[route].count == Self.capacity { arrivals[route].removeFirst() }
            arrivals[route].append(now[route] - last[route])
        }
    }
}

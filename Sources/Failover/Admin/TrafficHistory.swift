import FailoverProxy

/// How many sessions of each route arrived in each of the last seconds.
struct TrafficHistory {
    /// Seconds that are kept.
    static let capacity = 120

    private var last: [Int]?
    /// By route, oldest first.
    private var arrivals: [[Int]] = []

    /// Those of a route.
    func arrivals(ofRoute route: Int) -> [Int] { route < arrivals.count ? arrivals[route] : [] }

    /// What had been counted a second after the last time.
    mutating func add(_ report: TrafficReport) {
        let now = report.routes.map(\.accepted)
        defer { last = now }
        guard let last else { return }
        while arrivals.count < last.count { arrivals.append([]) }
        for route in last.indices {
            if arrivals[route].count == Self.capacity { arrivals[route].removeFirst() }
            arrivals[route].append(now[route] - last[route])
        }
    }
}

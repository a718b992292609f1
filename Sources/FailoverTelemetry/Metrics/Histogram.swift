/// A distribution: how many observations fell into each bucket, and their sum.
package struct Histogram: Hashable, Sendable {
    package let buckets: HistogramBuckets
    /// How many were at most as large as each bound and larger than the one before it; the last is for the rest.
    package private(set) var counts: [UInt64]
    package private(set) var sum: Double = 0

    package init(_ buckets: HistogramBuckets) {
        self.buckets = buckets
        counts = Array(repeating: 0, count: buckets.bounds.count + 1)
    }

    /// Adds an observation. What is not a number is none.
    package mutating func observe(_ value: Double) {
        guard !value.isNaN else { return }
        // Pings and most other things are in one of the first.
        let bucket = buckets.bounds.firstIndex { value <= $0 } ?? buckets.bounds.endIndex
        counts[bucket] &+= 1
        sum += value
    }
}

/// Upper bounds of a histogram's buckets, each larger than the one before. A last bucket without a bound is implied.
package struct HistogramBuckets: Hashable, Sendable {
    package let bounds: [Double]

    /// Orders the bounds; leaves out what is given twice or has no place in an order.
    package init(_ bounds: [Double]) { self.bounds = Set(bounds.filter(\.isFinite)).sorted() }

    /// Seconds that a ping takes: 0.5 ms, as on the same machine, to 10 s, the longest time limit by default. The limits of a ping
    /// (1 s, 10 s) are bounds, so that those which ran into one are told from those that only took long.
    package static let pings = HistogramBuckets(
        [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])

    /// Amounts of anything, from 1 to a million, two and a half bounds a power of ten.
    package static let amounts = HistogramBuckets(
        [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 1_000_000])
}

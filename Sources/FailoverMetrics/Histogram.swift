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

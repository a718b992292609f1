/// A distribution: the number of observations in each bucket, and their sum.
package struct Histogram: Hashable, Sendable {
    package let buckets: HistogramBuckets
    /// For each bound, the number of observations up to this bound and above the previous one. The last count is for
    /// larger values.
    package private(set) var counts: [UInt64]
    package private(set) var sum: Double = 0

    package init(_ buckets: HistogramBuckets) {
        self.buckets = buckets
        counts = Array(repeating: 0, count: buckets.bounds.count + 1)
    }

    /// Adds an observation. NaN is ignored.
    package mutating func observe(_ value: Double) {
        guard !value.isNaN else { return }
        // A search from the start is fast: most observations are in one of the first buckets.
        let bucket = buckets.bounds.firstIndex { value <= $0 } ?? buckets.bounds.endIndex
        counts[bucket] &+= 1
        sum += value
    }
}

/// The upper bounds of a histogram's buckets, in ascending order. One more bucket, without a bound, follows the last
/// one.
package struct HistogramBuckets: Hashable, Sendable {
    package let bounds: [Double]

    /// Sorts the bounds. Drops duplicates and values that are not finite.
    package init(_ bounds: [Double]) { self.bounds = Set(bounds.filter(\.isFinite)).sorted() }

    /// Durations of pings in seconds, from 0.5 ms (a server on the same machine) to 10 s (the longest default time
    /// limit). The default time limits, 1 s and 10 s, are bounds, so that pings that reached a limit are distinct from
    /// slow ones.
    package static let pings = HistogramBuckets(
        [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])

    /// General amounts, from 1 to a million, with two or three bounds per power of ten.
    package static let amounts = HistogramBuckets(
        [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 1_000_000])
}

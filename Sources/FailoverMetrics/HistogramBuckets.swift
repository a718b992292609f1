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

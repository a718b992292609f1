/// The memory of one series. Handles of the same series share it; any thread may change it at any time.
protocol Cell: AnyObject, Sendable {
    static var kind: MetricKind { get }
    var key: SeriesKey { get }
    /// Its value now.
    var sample: Sample { get }
}

/// The value of a series at one moment.
enum Sample: Hashable, Sendable {
    case value(Double)
    case histogram(Histogram)
}

/// What a family of series is; the raw values are the words of `# TYPE`.
package enum MetricKind: String, Hashable, Sendable {
    /// A total that only grows, until its process ends.
    case counter
    /// A value that goes up and down.
    case gauge
    /// A distribution: how many observations were at most so large, for each bound.
    case histogram

    /// What follows a family's name in the names of its samples.
    var suffixes: [String] {
        switch self {
        case .counter, .gauge: [""]
        case .histogram: ["_bucket", "_sum", "_count"]
        }
    }
}

/// Names as Prometheus allows them; every other character becomes `_`.
///
/// See "Metric names and labels" in Prometheus' documentation of its data model.
enum MetricName {
    /// A metric's name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    static func metric(_ text: String) -> String { sanitised(text) { isWord($0) || $0 == UInt8(ascii: ":") } }

    /// A label's name: `[a-zA-Z_][a-zA-Z0-9_]*`, without the two underscores in front that Prometheus keeps for itself.
    static func label(_ text: String) -> String {
        let name = sanitised(text, isWord)
        return name.hasPrefix("__") ? "_" + name.drop { $0 == "_" } : name
    }

    private static func sanitised(_ text: String, _ isAllowed: (UInt8) -> Bool) -> String {
        if let first = text.utf8.first, !isDigit(first), text.utf8.allSatisfy(isAllowed) { return text }
        let scalars = text.unicodeScalars.map { $0.isASCII && isAllowed(UInt8($0.value)) ? Character($0) : "_" }
        let startsWithDigit = text.utf8.first.map(isDigit) ?? true
        return (startsWithDigit ? "_" : "") + String(scalars)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_")
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

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

/// Which series: the family's name, and labels in the order of their names.
struct SeriesKey: Hashable, Sendable {
    let family: String
    let labelNames: [String]
    let labelValues: [String]

    /// Sanitises the names. The order in which labels are given does not matter.
    init(_ name: String, _ labels: [(String, String)]) {
        family = MetricName.metric(name)
        if labels.count < 2 {
            labelNames = labels.map { MetricName.label($0.0) }
            labelValues = labels.map(\.1)
        } else {
            let sorted = labels.map { (name: MetricName.label($0.0), value: $0.1) }.sorted { $0.name < $1.name }
            labelNames = sorted.map(\.name)
            labelValues = sorted.map(\.value)
        }
    }

    /// A name that two labels have, as after sanitising `a.b` and `a-b`.
    var labelGivenTwice: String? { zip(labelNames, labelNames.dropFirst()).first { $0 == $1 }?.0 }
}

/// Bounds, so that a label whose values never end cannot take the memory.
package struct SeriesLimits: Hashable, Sendable {
    /// Series of one family; 10 000.
    package var series: Int
    /// Families; 1000.
    package var families: Int

    package init(series: Int = 10_000, families: Int = 1000) {
        self.series = series
        self.families = families
    }
}

/// Why a series is not kept. Its handle works and leads nowhere; the rest of the metrics are unharmed.
enum Refusal: Error, Hashable, CustomStringConvertible {
    case otherKind(family: String, MetricKind, MetricKind)
    case otherLabels(family: String, [String], [String])
    /// A sample's name is that of another family's, as of a counter `x_count` beside a histogram `x`.
    case nameTaken(family: String, by: String)
    case labelTwice(family: String, String)
    case bucketLabel(family: String)
    case seriesTwice(family: String)
    case tooManySeries(family: String, limit: Int)
    case tooManyFamilies(family: String, limit: Int)

    var description: String {
        switch self {
        case .otherKind(let family, let kind, let first):
            "metric \(family): asked for as a \(kind), but it is a \(first); ignored"
        case .otherLabels(let family, let labels, let first):
            "metric \(family): asked for with the labels \(labels), but it has \(first); ignored"
        case .nameTaken(let family, let other):
            "metric \(family): its samples are called like those of \(other); ignored"
        case .labelTwice(let family, let label): "metric \(family): label \(label) is given twice; ignored"
        case .bucketLabel(let family): "metric \(family): a histogram's label le is its bound; ignored"
        case .seriesTwice(let family): "metric \(family): a collector wrote a series that exists; the first one counts"
        case .tooManySeries(let family, let limit): "metric \(family): has \(limit) series; no more are kept"
        case .tooManyFamilies(let family, let limit): "metric \(family): there are \(limit) metrics; no more are kept"
        }
    }
}

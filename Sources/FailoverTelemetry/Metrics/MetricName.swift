/// Converts names to names that Prometheus allows. Every other character becomes `_`.
///
/// See "Metric names and labels" in Prometheus' documentation of its data model.
enum MetricName {
    /// A metric's name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    static func metric(_ text: String) -> String { sanitised(text) { isWord($0) || $0 == UInt8(ascii: ":") } }

    /// A label's name: `[a-zA-Z_][a-zA-Z0-9_]*`, without the two leading underscores that Prometheus reserves.
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

/// The kind of a family. The raw values are those of `# TYPE`.
package enum MetricKind: String, Hashable, Sendable {
    /// A total that only increases while its process runs.
    case counter
    /// A value that can increase and decrease.
    case gauge
    /// A distribution: the number of observations up to each bound.
    case histogram

    /// The suffixes of the family's sample names.
    var suffixes: [String] {
        switch self {
        case .counter, .gauge: [""]
        case .histogram: ["_bucket", "_sum", "_count"]
        }
    }
}

/// The key of a series: the name of its family, and its labels sorted by name.
struct SeriesKey: Hashable, Sendable {
    let family: String
    let labelNames: [String]
    let labelValues: [String]

    /// Sanitises the names, and sorts the labels by name.
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

    /// A name that two labels have after sanitising, for example `a_b` from `a.b` and `a-b`.
    var labelGivenTwice: String? { zip(labelNames, labelNames.dropFirst()).first { $0 == $1 }?.0 }
}

/// Limits of the number of series. Without them, a label with an unlimited number of values could exhaust the memory.
package struct SeriesLimits: Hashable, Sendable {
    /// The maximum number of series in one family; 10 000 by default.
    package var series: Int
    /// The maximum number of families; 1000 by default.
    package var families: Int

    package init(series: Int = 10_000, families: Int = 1000) {
        self.series = series
        self.families = families
    }
}

/// Why a series is not kept. Its handle has no effect. Other metrics are not affected.
enum Refusal: Error, Hashable, CustomStringConvertible {
    case otherKind(family: String, MetricKind, MetricKind)
    case otherLabels(family: String, [String], [String])
    /// A sample name belongs to another family, for example a counter `x_count` and a histogram `x`.
    case nameTaken(family: String, by: String)
    case labelTwice(family: String, String)
    case bucketLabel(family: String)
    case seriesTwice(family: String)
    case tooManySeries(family: String, limit: Int)
    case tooManyFamilies(family: String, limit: Int)

    var description: String {
        switch self {
        case .otherKind(let family, let kind, let first):
            "metric \(family): requested as a \(kind), but it is a \(first); ignored"
        case .otherLabels(let family, let labels, let first):
            "metric \(family): requested with the labels \(labels), but it has \(first); ignored"
        case .nameTaken(let family, let other):
            "metric \(family): its sample names collide with those of \(other); ignored"
        case .labelTwice(let family, let label): "metric \(family): label \(label) is given twice; ignored"
        case .bucketLabel(let family): "metric \(family): label le is reserved for a histogram's bounds; ignored"
        case .seriesTwice(let family):
            "metric \(family): a collector wrote a series that already exists; the first one is kept"
        case .tooManySeries(let family, let limit): "metric \(family): has \(limit) series; no more are kept"
        case .tooManyFamilies(let family, let limit): "metric \(family): there are \(limit) metrics; no more are kept"
        }
    }
}

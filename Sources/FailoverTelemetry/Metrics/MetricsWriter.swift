/// Collects the metrics that collectors add to one scrape. A series that cannot be written is left out and reported
/// once, as for handles.
package struct MetricsWriter {
    private(set) var table: FamilyTable<Sample>
    private(set) var help: [String: String]
    private(set) var refusals: [Refusal] = []

    init(_ table: FamilyTable<Sample>, help: [String: String]) {
        self.table = table
        self.help = help
    }

    /// Adds a value that can increase and decrease.
    package mutating func gauge(_ name: String, help: String, labels: [(String, String)] = [], value: Double) {
        add(name, help, labels, .gauge, .value(value))
    }

    /// Adds a total that only increases.
    package mutating func counter(_ name: String, help: String, labels: [(String, String)] = [], value: Double) {
        add(name, help, labels, .counter, .value(value))
    }

    /// Adds a distribution.
    package mutating func histogram(
        _ name: String, help: String, labels: [(String, String)] = [], value: Histogram
    ) {
        add(name, help, labels, .histogram, .histogram(value))
    }

    private mutating func add(
        _ name: String, _ text: String, _ labels: [(String, String)], _ kind: MetricKind, _ sample: Sample
    ) {
        let key = SeriesKey(name, labels)
        var isNew = false
        do throws(Refusal) {
            _ = try table.find(key, kind) {
                isNew = true
                return sample
            }
            if !isNew { throw .seriesTwice(family: key.family) }
            if help[key.family] == nil { help[key.family] = text }
        } catch {
            refusals.append(error)
        }
    }
}

/// Prometheus' text exposition format 0.0.4: one line per sample, preceded by the `# HELP` and `# TYPE` of its
/// family.
///
/// See "Exposition formats" in Prometheus' documentation.
struct ExpositionText {
    private var text = ""

    /// The text of a table. Families are sorted by name, series by the values of their labels.
    static func of(_ table: FamilyTable<Sample>, help: [String: String]) -> String {
        var exposition = ExpositionText()
        for (name, family) in table.families.sorted(by: { $0.key < $1.key }) {
            exposition.add(name, family, help: help[name])
        }
        return exposition.text
    }

    private mutating func add(_ name: String, _ family: FamilyTable<Sample>.Family, help: String?) {
        if let help { text += "# HELP \(name) \(Self.escaped(help))\n" }
        text += "# TYPE \(name) \(family.kind.rawValue)\n"
        for (values, sample) in family.series.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let labels = zip(family.labelNames, values).map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
            switch sample {
            case .value(let value): add(name, labels, Self.number(value))
            case .histogram(let histogram): add(name, labels, histogram)
            }
        }
    }

    private mutating func add(_ name: String, _ labels: [String], _ histogram: Histogram) {
        var total: UInt64 = 0
        for (bound, count) in zip(histogram.buckets.bounds + [.infinity], histogram.counts) {
            total &+= count
            add("\(name)_bucket", labels + ["le=\"\(Self.number(bound))\""], "\(total)")
        }
        add("\(name)_sum", labels, Self.number(histogram.sum))
        add("\(name)_count", labels, "\(total)")
    }

    private mutating func add(_ name: String, _ labels: [String], _ value: String) {
        text += name
        if !labels.isEmpty { text += "{\(labels.joined(separator: ","))}" }
        text += " \(value)\n"
    }

    /// A number in the format of Go's `ParseFloat`. Whole numbers have no fraction.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return "\(whole)" }
        return "\(value)"
    }

    /// The text with escapes. It is read by scalars, because a carriage return and a line feed are one `Character`.
    static func escaped(_ value: String, quotes: Bool = false) -> String {
        var result = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\"" where quotes: result.append(contentsOf: "\\\"".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}

/// Prometheus' text exposition format 0.0.4: a line a sample, its family's `# HELP` and `# TYPE` before them.
///
/// See "Exposition formats" in Prometheus' documentation.
struct ExpositionText {
    private var text = ""

    /// The whole table, families by name, series by the values of their labels.
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

    /// As Go's `ParseFloat` reads it; whole numbers without a fraction.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return "\(whole)" }
        return "\(value)"
    }

    /// Scalar for scalar: a carriage return and a line feed are one `Character`.
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

/// What collectors add to one scrape. The same rules hold as for handles: what cannot be written is left out and told once.
package struct MetricsWriter {
    private(set) var table: FamilyTable<Sample>
    private(set) var help: [String: String]
    private(set) var refusals: [Refusal] = []

    init(_ table: FamilyTable<Sample>, help: [String: String]) {
        self.table = table
        self.help = help
    }

    /// A value that goes up and down.
    package mutating func gauge(_ name: String, help: String, labels: [(String, String)] = [], value: Double) {
        add(name, help, labels, .gauge, .value(value))
    }

    /// A total that only grows.
    package mutating func counter(_ name: String, help: String, labels: [(String, String)] = [], value: Double) {
        add(name, help, labels, .counter, .value(value))
    }

    /// A distribution.
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

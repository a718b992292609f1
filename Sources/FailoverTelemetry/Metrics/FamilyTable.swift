/// A table of series, grouped in families, within limits. One table has the series that the registry keeps; another has
/// the series that one scrape writes.
///
/// A family has one kind and one set of label names. No two families share a sample name. So the content of a table can
/// always be written.
struct FamilyTable<Series> {
    struct Family {
        let kind: MetricKind
        let labelNames: [String]
        /// The series, by label values.
        fileprivate(set) var series: [[String]: Series]
    }

    let limits: SeriesLimits
    private(set) var families: [String: Family] = [:]
    /// The family of each sample name.
    private var owners: [String: String] = [:]

    init(limits: SeriesLimits) { self.limits = limits }

    subscript(_ key: SeriesKey) -> Series? { families[key.family]?.series[key.labelValues] }

    /// The existing series, or a new one.
    mutating func find(
        _ key: SeriesKey, _ kind: MetricKind, orAdd make: () -> Series
    ) throws(Refusal) -> Series {
        let name = key.family
        if let family = families[name] {
            guard family.kind == kind else { throw .otherKind(family: name, kind, family.kind) }
            guard family.labelNames == key.labelNames else {
                throw .otherLabels(family: name, key.labelNames, family.labelNames)
            }
            if let series = family.series[key.labelValues] { return series }
            guard family.series.count < limits.series else { throw .tooManySeries(family: name, limit: limits.series) }
        } else {
            try addFamily(key, kind)
        }
        let series = make()
        families[name]?.series[key.labelValues] = series
        return series
    }

    private mutating func addFamily(_ key: SeriesKey, _ kind: MetricKind) throws(Refusal) {
        let name = key.family
        guard families.count < limits.families else { throw .tooManyFamilies(family: name, limit: limits.families) }
        if let label = key.labelGivenTwice { throw .labelTwice(family: name, label) }
        if kind == .histogram && key.labelNames.contains("le") { throw .bucketLabel(family: name) }
        let names = Self.sampleNames(name, kind)
        for sample in names { if let owner = owners[sample] { throw .nameTaken(family: name, by: owner) } }
        for sample in names { owners[sample] = name }
        families[name] = Family(kind: kind, labelNames: key.labelNames, series: [:])
    }

    /// Removes a series, and its family if it was the last one.
    mutating func remove(_ key: SeriesKey) {
        guard let family = families[key.family] else { return }
        families[key.family]?.series[key.labelValues] = nil
        guard families[key.family]?.series.isEmpty == true else { return }
        families[key.family] = nil
        for sample in Self.sampleNames(key.family, family.kind) { owners[sample] = nil }
    }

    /// The same families and series, with each series transformed.
    func mapSeries<Other>(_ transform: (Series) -> Other) -> FamilyTable<Other> {
        var table = FamilyTable<Other>(limits: limits)
        table.owners = owners
        table.families = families.mapValues {
            .init(kind: $0.kind, labelNames: $0.labelNames, series: $0.series.mapValues(transform))
        }
        return table
    }

    /// The names include the name of the family. No sample of a histogram has it, but its `# TYPE` line does.
    private static func sampleNames(_ name: String, _ kind: MetricKind) -> Set<String> {
        Set([name] + kind.suffixes.map { name + $0 })
    }
}

extension FamilyTable: Sendable where Series: Sendable {}
extension FamilyTable.Family: Sendable where Series: Sendable {}

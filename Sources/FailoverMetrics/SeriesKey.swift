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

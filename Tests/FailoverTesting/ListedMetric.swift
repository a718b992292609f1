import Foundation

/// A metric as in `config/prometheus/metrics.txt`, and as in a scrape.
public struct ListedMetric: Hashable, Sendable {
    public let name: String
    public let type: String
    /// The label names, without a histogram's `le`.
    public let labels: Set<String>
    public let help: String

    public init(name: String, type: String, labels: Set<String>, help: String) {
        self.name = name
        self.type = type
        self.labels = labels
        self.help = help
    }

    /// The lines of a list: `NAME TYPE LABELS HELP`.
    public static func listed(in text: String) -> Set<ListedMetric> {
        Set(
            text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
                let words = line.split(separator: " ", maxSplits: 3).map(String.init)
                guard words.count == 4 else { return nil }
                let labels = words[2] == "-" ? [] : words[2].split(separator: ",").map(String.init)
                return ListedMetric(name: words[0], type: words[1], labels: Set(labels), help: words[3])
            })
    }

    /// All metrics of failover, as listed in `config/prometheus/metrics.txt`.
    public static func all() throws -> Set<ListedMetric> {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        return listed(
            in: try String(contentsOf: root.appending(path: "config/prometheus/metrics.txt"), encoding: .utf8))
    }

    /// The metrics of a scrape in the text exposition format.
    public static func scraped(in text: String) -> Set<ListedMetric> {
        var help: [String: String] = [:]
        var types: [String: String] = [:]
        var metrics: Set<ListedMetric> = []
        var family = ""
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            switch (words.first, words.count > 1 ? words[1] : "") {
            case ("#", "HELP") where words.count == 4: help[words[2]] = words[3]
            case ("#", "TYPE") where words.count == 4: (family, types[words[2]]) = (words[2], words[3])
            default:
                let names = line.matches(of: /([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"/).map { String($0.output.1) }
                metrics.insert(
                    ListedMetric(
                        name: family, type: types[family] ?? "", labels: Set(names).subtracting(["le"]),
                        help: help[family] ?? ""))
            }
        }
        return metrics
    }
}

import FailoverCore

/// The differences between two configurations, as text.
struct ConfigurationChange: Hashable, Sendable {
    /// One text per difference: `slave added`, `cache changed`, `notifiers changed`.
    let parts: [String]

    init(from former: Configuration, to next: Configuration) {
        var parts = Self.differences(
            former.services.map { ($0.name, $0) }, next.services.map { ($0.name, $0) }, prefix: "")
        parts += Self.differences(
            former.databases.map { ($0.name, $0) }, next.databases.map { ($0.name, $0) }, prefix: "alias ")
        let others: [(String, Bool)] = [
            ("notifiers", former.notifiers != next.notifiers),
            ("settings_file", former.settingsFile != next.settingsFile),
            ("admin", former.admin != next.admin),
            ("shutdown_grace", former.shutdownGrace != next.shutdownGrace),
            ("log", former.log != next.log),
        ]
        parts += others.filter(\.1).map { "\($0.0) changed" }
        self.parts = parts
    }

    /// All differences on one line.
    var message: String { parts.isEmpty ? "nothing has changed" : parts.joined(separator: ", ") }

    private static func differences<Value: Hashable>(
        _ former: [(String, Value)], _ next: [(String, Value)], prefix: String
    ) -> [String] {
        let before = Dictionary(former, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(next, uniquingKeysWith: { first, _ in first })
        let added = next.filter { before[$0.0] == nil }.map { "\(prefix)\($0.0) added" }
        let changed = next.filter { name, value in before[name].map { $0 != value } ?? false }
            .map { "\(prefix)\($0.0) changed" }
        let removed = former.filter { after[$0.0] == nil }.map { "\(prefix)\($0.0) removed" }
        return added + changed + removed
    }
}

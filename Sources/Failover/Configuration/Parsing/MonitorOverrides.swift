import FailoverCore

/// The settings of monitoring that one section of the file sets, with their places.
struct MonitorOverrides {
    /// One setting and its value.
    enum Change: Hashable {
        case duration(WritableKeyPath<MonitorSettings, Duration>, Duration)
        case count(WritableKeyPath<MonitorSettings, Int>, Int)
    }

    /// What each key of the file sets.
    private(set) var changes: [(key: String, place: Place, change: Change)] = []

    /// The key's change, if the section sets it.
    func change(of key: String) -> Change? { changes.first { $0.key == key }?.change }

    /// Reads those keys of a section that are among `keys`.
    init(_ section: Section, keys: [String] = Self.keys) {
        for key in keys {
            guard let value = section[key] else { continue }
            if let path = Self.durations[key] {
                if let duration = value.duration() { changes.append((key, value.place, .duration(path, duration))) }
            } else if let path = Self.counts[key] {
                if let count = value.integer(in: 1...1000) { changes.append((key, value.place, .count(path, count))) }
            }
        }
    }

    /// These settings with the changes made.
    func applied(to settings: MonitorSettings) -> MonitorSettings {
        var settings = settings
        for (_, _, change) in changes {
            switch change {
            case .duration(let path, let duration): settings[keyPath: path] = duration
            case .count(let path, let count): settings[keyPath: path] = count
            }
        }
        return settings
    }

    /// The keys that may stand at the top level, in an alias and in a service.
    static let keys = [
        "monitoring_ping_frequency", "outage_ping_frequency", "error_ping_frequency", "outage_logging_frequency",
        "rise", "fall", "suspect_after",
    ]
    /// The keys that may stand in an alias.
    static let keysOfAlias = ["ping_timeout", "outage_ping_timeout"] + keys

    private static let durations: [String: any (WritableKeyPath<MonitorSettings, Duration> & Sendable)] = [
        "monitoring_ping_frequency": \.frequencies.monitoringInterval,
        "outage_ping_frequency": \.frequencies.outageInterval,
        "error_ping_frequency": \.frequencies.errorInterval,
        "outage_logging_frequency": \.frequencies.outageLoggingInterval,
        "ping_timeout": \.pingTimeout,
        "outage_ping_timeout": \.outagePingTimeout,
    ]
    private static let counts: [String: any (WritableKeyPath<MonitorSettings, Int> & Sendable)] = [
        "rise": \.rise,
        "fall": \.fall,
        "suspect_after": \.suspectAfter,
    ]
}

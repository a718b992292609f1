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

extension ReplicationPolicy {
    /// The keys of a database alias that say how old its data may be.
    static let keys = ["max_lag", "lag_recovers_at", "max_lag_bytes", "replication_stopped", "heartbeat_query"]

    /// Reads the section of a database alias; `nil` when it says nothing of replication.
    init?(_ section: Section, role: DatabaseServer.Role?, engine: DatabaseServer.Engine?) {
        let maxLag = section["max_lag"]?.duration()
        let recoversAt = section["lag_recovers_at"]?.duration()
        let maxLagBytes = section["max_lag_bytes"]?.byteCount()
        let stopped = section["replication_stopped"]?.choice(of: WhenStopped.self)
        let heartbeatQuery = section["heartbeat_query"]?.text()
        if engine == .mysql {
            section["max_lag_bytes"]?.report("engine mysql has no use for it: only PostgreSQL tells positions in bytes")
        }
        if role == .primary {
            for key in Self.keys { section[key]?.report("a primary has no lag; it is for a replica") }
        } else if section["max_lag"] == nil {
            for key in ["lag_recovers_at", "heartbeat_query"] { section[key]?.report("needs `max_lag`") }
        }
        if let maxLag, let recoversAt, recoversAt > maxLag {
            section["lag_recovers_at"]?.report("must not be longer than `max_lag`")
        }
        guard maxLag != nil || maxLagBytes != nil || stopped != nil else { return nil }
        self.init(
            maxLag: maxLag, recoversAt: recoversAt, maxLagBytes: maxLagBytes, whenStopped: stopped ?? .lag,
            heartbeatQuery: heartbeatQuery)
    }
}

import FailoverCore

extension Schema {
    /// The keys of monitoring that may appear at the top level, in an alias and in a service.
    static let monitorKeys = monitor

    @KeysBuilder<MonitorSettings> private static var monitor: [Key<MonitorSettings>] {
        "How often a service is pinged while it is up."
        Key("monitoring_ping_frequency", \.frequencies.monitoringInterval, .duration)
        "How often a service is pinged while it is down. A recovery may go unnoticed for this long."
        Key("outage_ping_frequency", \.frequencies.outageInterval, .duration)
        """
        How soon a service is pinged after an error that a client would have seen, and while `rise` or `fall` wait \
        for confirmation.
        """
        Key("error_ping_frequency", \.frequencies.errorInterval, .duration)
        "How often a continuing outage is logged again and sent to notifiers as a reminder."
        Key("outage_logging_frequency", \.frequencies.outageLoggingInterval, .duration)
        """
        Pings in a row that must find a server alive to make a recovery. A ping that the server refuses counts too \
        (see `refused_ping`), but not after a wrong role or stopped replication.
        """
        Key("rise", \.rise, .number(1...1000))
        """
        Pings in a row that must find a server dead to make an outage. If sessions suspect the server too, that \
        counts as one.
        """
        Key("fall", \.fall, .number(1...1000))
        """
        Different sessions that must see an error of a server within `error_ping_frequency` before new sessions try \
        other servers first. One refused connection is enough. A ping is requested in any case.
        """
        Key("suspect_after", \.suspectAfter, .number(1...1000)).since("0.2")
    }

    /// The same keys for a section that overrides another one. They have examples, and no texts.
    static func overridingKeys(_ section: String) -> [Key<MonitorSettings>] {
        zip(monitorKeys, ["5s", "2s", "1s", "600s", "2", "3", "3"]).map { key, example in
            var key = key
            key.documentation.text = ""
            key.documentation.defaultText = "inherited from \(section)"
            key.documentation.value = example
            return key
        }
    }
}

extension Section {
    /// The settings, overridden by the section's keys of monitoring. Mistakes are not reported again.
    func monitorSettings(over settings: MonitorSettings) -> MonitorSettings {
        var settings = settings
        for key in Schema.monitorKeys { _ = self[key.name].map { key.read?($0.muted, &settings) } }
        return settings
    }
}

extension MonitorSettings {
    /// The time limit of pings that have the same limit in both states.
    var bothTimeouts: Duration {
        get { pingTimeout }
        set { (pingTimeout, outagePingTimeout) = (newValue, newValue) }
    }
}

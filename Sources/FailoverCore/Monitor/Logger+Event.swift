package import Logging

extension Logger {
    /// Writes an event's line: CRITICAL of an outage and its reminders, WARNING of a replica that is stale and of a server that
    /// refuses the monitor, INFO of what ends them. A server that has refused from the start is told at ERROR: that is most
    /// likely a mistake of the configuration.
    package func log(_ event: FailoverEvent) {
        var metadata = event.failure?.metadata ?? [:]
        if let alias = event.currentAlias { metadata["serving"] = "\(alias)" }
        switch event.kind {
        case .outage: critical("\(event.message)", metadata: metadata)
        case .reminder(_, let lasting):
            metadata["lasting"] = "\(lasting.inWords)"
            critical("\(event.message)", metadata: metadata)
        case .recovery(let duration):
            metadata["down_for"] = "\(duration.inWords)"
            info("\(event.message)", metadata: metadata)
        case .stale(let staleness):
            metadata["detail"] = "\(staleness)"
            warning("\(event.message)", metadata: metadata)
        case .fresh(let duration):
            metadata["stale_for"] = "\(duration.inWords)"
            info("\(event.message)", metadata: metadata)
        case .degraded(_, let lasting, let fromTheStart):
            if lasting > .zero { metadata["lasting"] = "\(lasting.inWords)" }
            log(level: fromTheStart ? .error : .warning, "\(event.message)", metadata: metadata)
        case .healthy(let duration):
            metadata["degraded_for"] = "\(duration.inWords)"
            info("\(event.message)", metadata: metadata)
        }
    }
}

extension PingFailure {
    var metadata: Logger.Metadata { ["reason": "\(reason)", "detail": "\(detail)"] }
}

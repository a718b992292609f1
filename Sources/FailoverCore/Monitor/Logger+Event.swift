package import Logging

extension Logger {
    /// Writes an event's line: CRITICAL of an outage and its reminders, WARNING of a stale replica, INFO of what ends them.
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
        }
    }
}

extension PingFailure {
    var metadata: Logger.Metadata { ["reason": "\(reason)", "detail": "\(detail)"] }
}

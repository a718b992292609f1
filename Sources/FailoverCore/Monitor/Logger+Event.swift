import Logging

extension Logger {
    /// Writes an event's line: CRITICAL of an outage and its reminders, INFO of a recovery.
    func log(_ event: FailoverEvent) {
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
        }
    }
}

extension PingFailure {
    var metadata: Logger.Metadata { ["reason": "\(reason)", "detail": "\(detail)"] }
}

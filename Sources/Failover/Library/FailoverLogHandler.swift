public import Logging

/// A log handler that passes everything on, and has services pinged when a logged error suggests an outage: the older
/// library's `FailoverHandler`.
///
/// It looks at the `error:` of a log event, as in `logger.error("query failed", error: error)`. It never waits: the
/// pings run in tasks of their own, each at its service's `errorInterval` at the most.
///
/// The level is the other handler's: what that is not to log triggers nothing.
public struct FailoverLogHandler: LogHandler {
    private var handler: any LogHandler
    private let monitor: ServiceMonitor
    private let triggers: ErrorTriggers

    /// - Parameters:
    ///   - handler: gets every event.
    ///   - monitor: pings its services.
    ///   - triggers: the errors that are a reason to; the monitor's unless given.
    public init(_ handler: any LogHandler, monitor: ServiceMonitor, triggers: ErrorTriggers? = nil) {
        self.handler = handler
        self.monitor = monitor
        self.triggers = triggers ?? monitor.triggers
    }

    public func log(event: LogEvent) {
        handler.log(event: event)
        if let error = event.error, triggers.matches(error) { monitor.noticeError() }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    public var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }

    public var metadataProvider: Logger.MetadataProvider? {
        get { handler.metadataProvider }
        set { handler.metadataProvider = newValue }
    }

    public var logLevel: Logger.Level {
        get { handler.logLevel }
        set { handler.logLevel = newValue }
    }
}

public import Logging

/// A log handler that passes on every event, and requests pings when a logged error suggests an outage. It replaces
/// the older library's `FailoverHandler`.
///
/// The handler checks the `error:` of a log event, as in `logger.error("query failed", error: error)`. It never blocks:
/// the pings run in other tasks. A service is pinged at most once per `errorInterval`.
///
/// The log level is that of the wrapped handler. An event below this level requests no ping.
public struct FailoverLogHandler: LogHandler {
    private var handler: any LogHandler
    private let monitor: ServiceMonitor
    private let triggers: ErrorTriggers

    /// - Parameters:
    ///   - handler: the wrapped handler, which receives every event.
    ///   - monitor: pings its services.
    ///   - triggers: the errors that request pings; default: those of the monitor.
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

import FailoverNotify
import FailoverTelemetry
import Glibc
public import Logging

/// The log as a configuration describes it, written to standard error.
public struct ApplicationLog: Sendable {
    /// Writes to this log. Its label is `failover`.
    public let logger: Logger
    private let output: LogOutput
    private let threshold: LogThreshold

    public init(_ configuration: LogConfiguration) {
        let threshold = LogThreshold(configuration.level)
        self.threshold = threshold
        let style = LogStyle.suiting(descriptor: STDERR_FILENO)
        let format = configuration.format
        let output = LogOutput { count in
            let text = "\(count) log lines were dropped: the log's reader is too slow"
            return switch (format, style) {
            case (.json, _): #"{"level":"warning","message":"\#(text)"}"#
            // This is the priority of a warning; see sd-daemon(3).
            case (.text, .journal): "<4>\(text)"
            case (.text, _): text
            }
        }
        self.output = output
        let form: LineLogHandler.Form = format == .json ? .json : .text
        logger = Logger(label: "failover") { _ in
            LineLogHandler(form, threshold: threshold, output: output, style: style)
        }
    }

    /// Changes the lowest level that is logged.
    public func setLevel(_ level: Logger.Level) { threshold.level = level }

    /// Waits until all lines are written, for at most one second. Call this before the process exits.
    public func flush() { output.flush(within: .seconds(1)) }
}

import FailoverNotify
import FailoverTelemetry
import Glibc
public import Logging

/// The log of a configuration, on standard error.
public struct ApplicationLog: Sendable {
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
            // The priority of a warning: sd-daemon(3).
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

    /// Logs lines of this level and above from now on.
    public func setLevel(_ level: Logger.Level) { threshold.level = level }

    /// Waits until all lines are written, for at most one second.
    public func flush() { output.flush(within: .seconds(1)) }
}

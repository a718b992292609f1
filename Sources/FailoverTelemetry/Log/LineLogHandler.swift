import FailoverCore
import FailoverSystem
import Glibc
package import Logging

/// A log handler that writes one line per event.
package struct LineLogHandler: LogHandler {
    /// The format of the lines.
    package enum Form: Sendable {
        /// Text: time, level, message, then `key=value` pairs.
        case text
        /// A JSON object per line.
        case json
    }

    package var metadata: Logger.Metadata = [:]
    /// The level of this logger. By default it is the level of the threshold, which all loggers share.
    package var logLevel: Logger.Level {
        get { ownLevel ?? threshold.level }
        set { ownLevel = newValue }
    }
    private var ownLevel: Logger.Level?
    private let threshold: LogThreshold
    private let form: Form
    private let output: LogOutput
    private let style: LogStyle
    private let time: @Sendable () -> String

    /// - Parameters:
    ///   - threshold: the lowest level that is written.
    ///   - time: returns the time stamp of a line; by default the time in UTC.
    package init(
        _ form: Form, threshold: LogThreshold, output: LogOutput, style: LogStyle = .plain,
        time: (@Sendable () -> String)? = nil
    ) {
        self.form = form
        self.threshold = threshold
        self.output = output
        self.style = style
        self.time = time ?? { WallTime.now.text }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let pairs = LogText.pairs(event, handler: metadata)
        switch form {
        case .text: output.write(TextLine(event, pairs: pairs, style: style, time: time).text)
        case .json: output.write(JSONLine(event, pairs: pairs, style: style, time: time).text)
        }
    }
}

/// The lowest level that is written. All loggers of an output share it. It may change at any time.
package final class LogThreshold: Sendable {
    private let value: Lock<Logger.Level>

    package init(_ level: Logger.Level) { value = Lock(level) }

    package var level: Logger.Level {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}

/// The style of the lines. It depends on what reads them.
package enum LogStyle: Hashable, Sendable {
    case plain
    /// The name of the level has a colour.
    case colour
    /// Each line starts with its priority, which systemd's journal removes; see sd-daemon(3).
    case journal

    /// The style that suits a descriptor.
    ///
    /// - Parameter environment: returns the value of a variable. `JOURNAL_STREAM` is the device and inode of the
    ///   journal's descriptor; see systemd.exec(5). `NO_COLOR`, if it is not empty, turns colours off; see
    ///   no-color.org.
    package static func suiting(descriptor: Int32, environment: (String) -> String?) -> LogStyle {
        if let stream = environment("JOURNAL_STREAM"), stream == identity(of: descriptor) { return .journal }
        let wantsNoColour = environment("NO_COLOR").map { !$0.isEmpty } ?? false
        return isatty(descriptor) == 1 && !wantsNoColour && environment("TERM") != "dumb" ? .colour : .plain
    }

    /// The style that suits a descriptor in this process's environment.
    package static func suiting(descriptor: Int32) -> LogStyle {
        suiting(descriptor: descriptor) { name in getenv(name).map { String(cString: $0) } }
    }

    private static func identity(of descriptor: Int32) -> String? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        return "\(status.st_dev):\(status.st_ino)"
    }
}

import FailoverCore
import FailoverSystem
package import Logging

/// Writes one line an event.
package struct LineLogHandler: LogHandler {
    /// The form of the lines.
    package enum Form: Sendable {
        /// For people: time, level, message, then `key=value` pairs.
        case text
        /// For machines: a JSON object.
        case json
    }

    package var metadata: Logger.Metadata = [:]
    /// The common one, unless this logger has got its own.
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
    ///   - threshold: which lines are written.
    ///   - time: the time stamp of a line; UTC unless given.
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

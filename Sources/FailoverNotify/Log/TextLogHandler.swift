import FailoverCore
import FailoverSystem
package import Logging

/// One line an event, for people: time, level, message, then `key=value` pairs.
package struct TextLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let output: LogOutput
    private let style: LogStyle
    private let time: @Sendable () -> String

    /// - Parameter time: the time stamp of a line; UTC unless given.
    package init(
        level: Logger.Level, output: LogOutput, style: LogStyle = .plain, time: (@Sendable () -> String)? = nil
    ) {
        logLevel = level
        self.output = output
        self.style = style
        self.time = time ?? { WallTime.now.text }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = start(of: event) + LogText.oneLine("\(event.message)")
        for (key, value) in LogText.pairs(event, handler: metadata) { line += " \(key)=\(Self.quotedIfNeeded(value))" }
        output.write(line)
    }

    private func start(of event: LogEvent) -> String {
        let name = event.level.rawValue.uppercased()
        return switch style {
        case .plain: "\(time()) \(name) "
        case .colour: "\(time()) \u{1b}[\(event.level.colour)m\(name)\u{1b}[0m "
        // The journal has its own time and level.
        case .journal: "<\(event.level.syslogPriority)>"
        }
    }

    private static func quotedIfNeeded(_ value: String) -> String {
        let value = LogText.oneLine(value)
        let needsQuotes = value.isEmpty || value.contains { $0 == " " || $0 == "\"" || $0 == "=" }
        return needsQuotes ? "\"\(value.replacing("\"", with: "\\\""))\"" : value
    }
}

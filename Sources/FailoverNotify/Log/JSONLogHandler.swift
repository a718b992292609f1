import FailoverCore
import FailoverSystem
import FoundationEssentials
package import Logging

/// One JSON object a line, for machines: `time`, `level`, `message`, and the pairs as an object under `metadata`.
package struct JSONLogHandler: LogHandler {
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
        let pairs = LogText.pairs(event, handler: metadata)
        let line = Line(
            time: time(), level: event.level.rawValue, message: "\(event.message)",
            metadata: Dictionary(pairs.map { ($0.key, $0.value) }) { first, _ in first })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Text can always be encoded.
        guard let data = try? encoder.encode(line) else { return }
        let priority = style == .journal ? "<\(event.level.syslogPriority)>" : ""
        output.write(priority + String(decoding: data, as: UTF8.self))
    }

    private struct Line: Encodable {
        let time: String
        let level: String
        let message: String
        let metadata: [String: String]
    }
}

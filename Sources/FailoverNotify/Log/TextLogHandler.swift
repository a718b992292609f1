import FailoverCore
import FailoverSystem
package import Logging

/// One line an event, for people: time, level, message, then `key=value` pairs.
package struct TextLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let output: LogOutput
    private let time: @Sendable () -> String

    /// - Parameter time: the time stamp of a line; UTC unless given.
    package init(
        level: Logger.Level, output: LogOutput, time: @escaping @Sendable () -> String = { WallTime.now.text }
    ) {
        logLevel = level
        self.output = output
        self.time = time
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var pairs = metadata.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { pairs["error"] = "\(error)" }
        // A message from elsewhere must not be able to forge a line.
        var line = "\(time()) \(event.level.rawValue.uppercased()) \(Self.oneLine("\(event.message)"))"
        for (key, value) in pairs.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(Self.quotedIfNeeded("\(value)"))"
        }
        output.write(line)
    }

    private static func quotedIfNeeded(_ value: String) -> String {
        let value = oneLine(value)
        let needsQuotes = value.isEmpty || value.contains { $0 == " " || $0 == "\"" || $0 == "=" }
        return needsQuotes ? "\"\(value.replacing("\"", with: "\\\""))\"" : value
    }

    private static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? " " : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control
    }
}

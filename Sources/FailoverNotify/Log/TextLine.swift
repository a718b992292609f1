import Logging

/// An event's line for people: time, level, message, then `key=value` pairs.
struct TextLine {
    let text: String

    init(_ event: LogEvent, pairs: [(key: String, value: String)], style: LogStyle, time: () -> String) {
        var line = Self.start(event.level, style, time) + LogText.oneLine("\(event.message)")
        for (key, value) in pairs { line += " \(key)=\(Self.quotedIfNeeded(value))" }
        text = line
    }

    private static func start(_ level: Logger.Level, _ style: LogStyle, _ time: () -> String) -> String {
        let name = level.rawValue.uppercased()
        return switch style {
        case .plain: "\(time()) \(name) "
        case .colour: "\(time()) \u{1b}[\(level.colour)m\(name)\u{1b}[0m "
        // The journal has its own time and level.
        case .journal: "<\(level.syslogPriority)>"
        }
    }

    private static func quotedIfNeeded(_ value: String) -> String {
        let value = LogText.oneLine(value)
        let needsQuotes = value.isEmpty || value.contains { $0 == " " || $0 == "\"" || $0 == "=" }
        return needsQuotes ? "\"\(value.replacing("\"", with: "\\\""))\"" : value
    }
}

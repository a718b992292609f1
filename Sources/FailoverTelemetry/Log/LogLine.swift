import FailoverCore
import FoundationEssentials
import Logging

/// The line of an event as text: time, level, message, then `key=value` pairs.
struct TextLine {
    let text: String

    init(_ event: LogEvent, pairs: [(key: String, value: String)], style: LogStyle, time: () -> String) {
        var line = Self.start(event.level, style, time) + "\(event.message)".withoutControls
        for (key, value) in pairs { line += " \(key)=\(Self.quotedIfNeeded(value))" }
        text = line
    }

    private static func start(_ level: Logger.Level, _ style: LogStyle, _ time: () -> String) -> String {
        let name = level.rawValue.uppercased()
        return switch style {
        case .plain: "\(time()) \(name) "
        case .colour: "\(time()) \u{1b}[\(level.colour)m\(name)\u{1b}[0m "
        // The journal adds the time and the level.
        case .journal: "<\(level.syslogPriority)>"
        }
    }

    private static func quotedIfNeeded(_ value: String) -> String {
        let value = value.withoutControls
        let needsQuotes = value.isEmpty || value.contains { $0 == " " || $0 == "\"" || $0 == "=" }
        return needsQuotes ? "\"\(value.replacing("\"", with: "\\\""))\"" : value
    }
}

/// The line of an event as JSON: `time`, `level`, `message`, and the pairs as an object under `metadata`.
struct JSONLine {
    let text: String

    init(_ event: LogEvent, pairs: [(key: String, value: String)], style: LogStyle, time: () -> String) {
        let object = Object(
            time: time(), level: event.level.rawValue, message: "\(event.message)",
            metadata: Dictionary(pairs.map { ($0.key, $0.value) }) { first, _ in first })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Text can always be encoded.
        let data = (try? encoder.encode(object)) ?? Data("{}".utf8)
        let priority = style == .journal ? "<\(event.level.syslogPriority)>" : ""
        text = priority + String(decoding: data, as: UTF8.self)
    }

    private struct Object: Encodable {
        let time: String
        let level: String
        let message: String
        let metadata: [String: String]
    }
}

/// The parts of a line that every format uses.
enum LogText {
    /// The pairs of the handler and of the event, sorted by key. Pairs of the event take precedence. The error of the
    /// event has the key `error`.
    static func pairs(_ event: LogEvent, handler: Logger.Metadata) -> [(key: String, value: String)] {
        var pairs = handler.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { pairs["error"] = "\(error)" }
        return pairs.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
    }
}

extension Logger.Level {
    /// The priority of syslog(3), which sd-daemon(3) expects at the start of a line: `<3>` for an error.
    var syslogPriority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    /// The colour of the level's name on a terminal: the number of ECMA-48's SGR sequence.
    var colour: Int {
        switch self {
        case .trace, .debug: 90
        case .info: 32
        case .notice: 36
        case .warning: 33
        case .error, .critical: 31
        }
    }
}

import FoundationEssentials
import Logging

/// An event's line for machines: `time`, `level`, `message`, and the pairs as an object under `metadata`.
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

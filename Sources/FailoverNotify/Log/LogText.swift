import Logging

/// What an event's line is made of, whatever its format.
package enum LogText {
    /// The handler's pairs and the event's, the event's first; its error under `error`.
    static func pairs(_ event: LogEvent, handler: Logger.Metadata) -> [(key: String, value: String)] {
        var pairs = handler.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { pairs["error"] = "\(error)" }
        return pairs.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
    }

    /// The text without line breaks and other control characters: a message from elsewhere must not be able to forge a
    /// line, or to talk to the terminal.
    package static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? " " : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control
    }
}

extension Logger.Level {
    /// The priority of syslog(3), which sd-daemon(3) takes in front of a line: `<3>` for an error.
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

/// Names as Prometheus allows them; every other character becomes `_`.
///
/// See "Metric names and labels" in Prometheus' documentation of its data model.
enum MetricName {
    /// A metric's name: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    static func metric(_ text: String) -> String { sanitised(text) { isWord($0) || $0 == UInt8(ascii: ":") } }

    /// A label's name: `[a-zA-Z_][a-zA-Z0-9_]*`, without the two underscores in front that Prometheus keeps for itself.
    static func label(_ text: String) -> String {
        let name = sanitised(text, isWord)
        return name.hasPrefix("__") ? "_" + name.drop { $0 == "_" } : name
    }

    private static func sanitised(_ text: String, _ isAllowed: (UInt8) -> Bool) -> String {
        if let first = text.utf8.first, !isDigit(first), text.utf8.allSatisfy(isAllowed) { return text }
        let scalars = text.unicodeScalars.map { $0.isASCII && isAllowed(UInt8($0.value)) ? Character($0) : "_" }
        let startsWithDigit = text.utf8.first.map(isDigit) ?? true
        return (startsWithDigit ? "_" : "") + String(scalars)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_")
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

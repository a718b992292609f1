/// Writes block mappings of plain and double-quoted scalars: as much YAML as a configuration needs.
struct YAMLWriter {
    private(set) var text = ""
    private var indentation = ""

    mutating func key(_ key: String, _ value: String) { line(key, Self.scalar(value)) }
    mutating func key(_ key: String, _ value: Int) { line(key, String(value)) }
    mutating func key(_ key: String, _ value: Double) { line(key, String(value)) }
    mutating func key(_ key: String, _ value: Duration) { line(key, value.configurationText) }

    mutating func key(_ key: String, _ values: [String]) {
        line(key, "[\(values.map(Self.scalar).joined(separator: ", "))]")
    }

    mutating func section(_ key: String, isEmpty: Bool = false, _ content: (inout YAMLWriter) -> Void) {
        if isEmpty { return line(key, "{}") }
        text += "\(indentation)\(Self.scalar(key)):\n"
        let outer = indentation
        indentation += "  "
        content(&self)
        indentation = outer
    }

    /// A block sequence of mappings.
    mutating func list<Element>(
        _ key: String, _ elements: [Element], _ content: (inout YAMLWriter, Element) -> Void
    ) {
        if elements.isEmpty { return line(key, "[]") }
        text += "\(indentation)\(Self.scalar(key)):\n"
        let outer = indentation
        for element in elements {
            var writer = YAMLWriter()
            writer.indentation = outer + "    "
            content(&writer, element)
            // The first line of the element carries its dash.
            text += "\(outer)  - \(writer.text.dropFirst(writer.indentation.count))"
        }
    }

    private mutating func line(_ key: String, _ value: String) {
        text += "\(indentation)\(Self.scalar(key)): \(value)\n"
    }

    /// A scalar that every reader of YAML takes for this text.
    static func scalar(_ value: String) -> String {
        let reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
        let isPlain = value.utf8.allSatisfy(isPlainByte) && value.first?.isLetter == true
        if isPlain && !reserved.contains(value.lowercased()) { return value }
        var quoted = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case _ where isInvisible(scalar): quoted += escape(scalar)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func isPlainByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// Whether a character does not show, or may not stand in YAML as it is.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: true
        case .spaceSeparator: scalar != " "
        default: false
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    }
}

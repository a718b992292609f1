/// The part of YAML that is needed to write a configuration.
enum YAML: Sendable {
    /// A number, a duration or a Boolean, which is written as it is.
    case plain(String)
    /// Text. It is quoted if a reader could read it as another type.
    case text(String)
    case list([YAML])
    case mapping([(key: String, value: YAML)])

    /// The value on one line.
    var flow: String {
        switch self {
        case .plain(let text): text
        case .text(let text): Self.scalar(text)
        case .list(let elements): "[\(elements.map(\.flow).joined(separator: ", "))]"
        case .mapping(let entries):
            "{\(entries.map { "\(Self.scalar($0.key)): \($0.value.flow)" }.joined(separator: ", "))}"
        }
    }

    /// The entries of a mapping, each on one or more lines. An entry without a mapping in it takes one line.
    static func block(_ entries: [(key: String, value: YAML)], indentation: String = "") -> String {
        entries.map { key, value in
            let start = "\(indentation)\(scalar(key)):"
            switch value {
            case .mapping(let entries) where !entries.isEmpty:
                return "\(start)\n\(block(entries, indentation: indentation + "  "))"
            case .list(let elements) where elements.contains(where: \.isMapping):
                return "\(start)\n" + elements.map { $0.item(indentation: indentation + "  ") }.joined()
            case .plain, .text, .list, .mapping: return "\(start) \(value.flow)\n"
            }
        }.joined()
    }

    /// An element of a block list. Its first line starts with a dash.
    private func item(indentation: String) -> String {
        guard case .mapping(let entries) = self else { return "\(indentation)- \(flow)\n" }
        let inner = indentation + "  "
        return "\(indentation)- \(Self.block(entries, indentation: inner).dropFirst(inner.count))"
    }

    private var isMapping: Bool { if case .mapping = self { true } else { false } }
}

extension YAML {
    /// A scalar that every reader of YAML reads as this text.
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

    /// Whether a character is invisible, or must be escaped in YAML.
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

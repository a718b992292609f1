/// A value that ``JSONWriter`` writes.
package protocol JSONValue {
    func write(to json: inout JSONWriter)
}

/// Writes JSON (RFC 8259): one line, the fields of an object in the order of the calls, absent values as `null`.
///
/// Foundation's encoder builds a tree of each document and converts each key again. It takes a quarter of a second for
/// the status of a thousand routes.
package struct JSONWriter {
    private var bytes: [UInt8] = []
    /// Whether the next item is the first of its object or array.
    private var isFirst = true

    private init() {}

    /// The text of a value, in UTF-8.
    static func bytes(_ value: some JSONValue) -> [UInt8] {
        var json = JSONWriter()
        value.write(to: &json)
        return json.bytes
    }

    static func text(_ value: some JSONValue) -> String { String(decoding: bytes(value), as: UTF8.self) }

    mutating func object(_ writeFields: (inout JSONWriter) -> Void) {
        enclose(UInt8(ascii: "{"), UInt8(ascii: "}"), writeFields)
    }

    /// Writes a field of the object.
    mutating func field(_ name: String, _ value: some JSONValue) {
        separate()
        string(name)
        bytes.append(UInt8(ascii: ":"))
        value.write(to: &self)
    }

    mutating func array(_ items: [some JSONValue]) {
        enclose(UInt8(ascii: "["), UInt8(ascii: "]")) { json in
            for item in items {
                json.separate()
                item.write(to: &json)
            }
        }
    }

    mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        if text.utf8.contains(where: Self.needsEscape) {
            for byte in text.utf8 { escape(byte) }
        } else {
            bytes.append(contentsOf: text.utf8)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes a number, a truth value or `null`.
    fileprivate mutating func literal(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func enclose(_ start: UInt8, _ end: UInt8, _ writeItems: (inout JSONWriter) -> Void) {
        bytes.append(start)
        isFirst = true
        writeItems(&self)
        bytes.append(end)
        isFirst = false
    }

    private mutating func separate() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        if byte < 0x20 {
            literal("\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16))
        } else {
            if Self.needsEscape(byte) { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
    }
}

extension String: JSONValue {
    package func write(to json: inout JSONWriter) { json.string(self) }
}

extension Bool: JSONValue {
    package func write(to json: inout JSONWriter) { json.literal(self ? "true" : "false") }
}

extension Int: JSONValue {
    package func write(to json: inout JSONWriter) { json.literal(String(self)) }
}

extension Int32: JSONValue {
    package func write(to json: inout JSONWriter) { json.literal(String(self)) }
}

extension UInt64: JSONValue {
    package func write(to json: inout JSONWriter) { json.literal(String(self)) }
}

extension Double: JSONValue {
    /// A whole number is written without a fraction. Infinity and NaN, which JSON does not have, are written as `null`.
    package func write(to json: inout JSONWriter) {
        guard isFinite else { return json.literal("null") }
        let text = description
        json.literal(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }
}

extension Optional: JSONValue where Wrapped: JSONValue {
    package func write(to json: inout JSONWriter) {
        if let self { self.write(to: &json) } else { json.literal("null") }
    }
}

extension Array: JSONValue where Element: JSONValue {
    package func write(to json: inout JSONWriter) { json.array(self) }
}

extension Dictionary: JSONValue where Key == String, Value: JSONValue {
    /// Writes the fields in the order of their keys.
    package func write(to json: inout JSONWriter) {
        json.object { json in
            for (key, value) in sorted(by: { $0.key < $1.key }) { json.field(key, value) }
        }
    }
}

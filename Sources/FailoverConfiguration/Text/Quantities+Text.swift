extension Duration {
    /// Reads `2`, `2.5`, `500ms`, `2s`, `5m` or `1h`: whole milliseconds from 0 to a year.
    init(configurationText text: String) throws(InvalidText) {
        let shape = InvalidText(
            "expected a duration such as 2, 2.5, 500ms, 2s, 5m or 1h, found \(text.quotedForMessage)")
        if text.hasPrefix("-"), !text.hasPrefix("--") {
            _ = try Duration(configurationText: String(text.dropFirst()))
            throw InvalidText("must not be negative, found \(text.quotedForMessage)")
        }
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let millisecondsInUnit = Self.millisecondsInUnit(text[number.endIndex...]) else { throw shape }

        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first, !whole.isEmpty, parts.count <= 2, parts.last?.isEmpty == false else {
            throw shape
        }
        guard whole.count <= 12, let wholeUnits = Int64(whole) else { throw Self.tooLong }
        var milliseconds = wholeUnits * millisecondsInUnit
        if parts.count == 2, let decimals = parts.last {
            let significant = decimals.prefix(9)
            guard let digits = Int64(significant), !decimals.dropFirst(9).contains(where: { $0 != "0" }) else {
                throw Self.tooFine
            }
            let scale = significant.reduce(Int64(1)) { product, _ in product * 10 }
            guard digits * millisecondsInUnit % scale == 0 else { throw Self.tooFine }
            milliseconds += digits * millisecondsInUnit / scale
        }
        guard milliseconds <= 365 * 86_400_000 else { throw Self.tooLong }
        self = .milliseconds(milliseconds)
    }

    /// The duration as the file writes it: `500ms`, `2s` or `0`. If it is in whole milliseconds, the text reads back as
    /// the same duration.
    var configurationText: String {
        let (seconds, attoseconds) = components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        if seconds == 0 && milliseconds == 0 { return "0" }
        return milliseconds == 0 ? "\(seconds)s" : "\(seconds * 1000 + milliseconds)ms"
    }

    private static let tooLong = InvalidText("must not be longer than a year")
    private static let tooFine = InvalidText("must not be finer than a millisecond")

    private static func millisecondsInUnit(_ unit: Substring) -> Int64? {
        switch unit {
        case "ms": 1
        case "", "s": 1000
        case "m": 60_000
        case "h": 3_600_000
        default: nil
        }
    }
}

extension Duration {
    /// Reads a duration in the configuration's format; `nil` if the text is not a duration.
    package static func written(_ text: String) -> Duration? { try? Duration(configurationText: text) }
}

extension UInt64 {
    /// Reads a number of bytes as PostgreSQL writes one: `16777216`, `512kB`, `64MB`, `1GB` or `1TB`. A kB has 1024.
    init(byteText text: String) throws(InvalidText) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text[digits.endIndex...].drop { $0 == " " }
        guard !digits.isEmpty, let shift = Self.shifts[String(unit)] else {
            throw InvalidText(
                "expected a number of bytes such as 16777216, 512kB, 64MB or 1GB, found \(text.quotedForMessage)")
        }
        guard digits.count <= 18, let count = UInt64(digits), count <= Self.most >> shift else {
            throw InvalidText("must not be more than 1024TB")
        }
        self = count << shift
    }

    /// Text that reads back as the same number of bytes, in the largest unit that divides it.
    var byteText: String {
        let units = Self.shifts.sorted { $0.value > $1.value }
        guard self > 0, let unit = units.first(where: { self & (1 << $0.value - 1) == 0 }), unit.value > 0 else {
            return String(self)
        }
        return "\(self >> unit.value)\(unit.key)"
    }

    private static let most: UInt64 = 1 << 50
    private static let shifts: [String: UInt64] = ["": 0, "B": 0, "kB": 10, "MB": 20, "GB": 30, "TB": 40]
}

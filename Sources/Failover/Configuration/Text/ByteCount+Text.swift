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

    /// Text that reads back as the same number of bytes, in the largest unit that it is whole in.
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

/// Finds where a YAML text may nest keys in keys deeper than any configuration needs, by looking at the text alone.
///
/// Yams hashes every key, and one that is made of others as often as it is deep: a thousand braces take a second. What
/// stands in quotes and comments counts too; so many brackets that are not closed are nothing that a configuration needs.
enum KeyNesting {
    /// Brackets that are open at a time, and question marks of one line.
    private static let most = 128

    /// The first line with more of them.
    static func firstLine(in text: String) -> Int? {
        var (line, brackets, questionMarks) = (1, 0, 0)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n"): (line, questionMarks) = (line + 1, 0)
            case UInt8(ascii: "["), UInt8(ascii: "{"): brackets += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): brackets -= brackets > 0 ? 1 : 0
            case UInt8(ascii: "?"): questionMarks += 1
            default: break
            }
            if brackets > most || questionMarks > most { return line }
        }
        return nil
    }
}

/// Finds YAML aliases in the keys of mappings, by a search in the text.
///
/// Yams hashes every key. If a key contains aliases of aliases, it can expand so much that hashing it takes practically
/// forever. This check finds every such key. It also refuses a few harmless texts, such as `"*a :"` in quotes, which no
/// configuration needs.
enum AliasInKey {
    /// The first line with such a key. A key without `?` is on one line, so the check reads one line at a time.
    static func firstLine(in text: String) -> Int? {
        var explicitKeyLine: Int?
        var hasAlias = false
        for (index, line) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        {
            let scan = scan(Array(line))
            if scan.aliasInKey { return index + 1 }
            if scan.explicitKey && explicitKeyLine == nil { explicitKeyLine = index + 1 }
            hasAlias = hasAlias || scan.alias
        }
        return hasAlias ? explicitKeyLine : nil
    }

    private static func scan(_ line: [UInt8]) -> (alias: Bool, aliasInKey: Bool, explicitKey: Bool) {
        var alias = false
        var explicitKey = false
        var before: UInt8?
        var beforeBlanks: UInt8?
        var hasQuote = false
        // In YAML, a carriage return and three characters beyond ASCII also end a line, and with it a comment.
        let lastOtherBreak = line.dropLast().lastIndex { $0 >= 0x80 || $0 == UInt8(ascii: "\r") } ?? -1
        var index = 0
        while index < line.count {
            let byte = line[index]
            var end = index + 1
            switch byte {
            case UInt8(ascii: "#") where before.isBlankOrNil && !hasQuote && lastOtherBreak < index:
                return (alias, false, explicitKey)
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                hasQuote = true
            case UInt8(ascii: "?") where beforeBlanks.isIndicatorOrNil:
                explicitKey = true
            case UInt8(ascii: "*") where before.isBlankOrNil || before.isIndicatorOrNil:
                while end < line.count, line[end].isAnchorCharacter { end += 1 }
                if end == index + 1 { break }
                alias = true
                if isFollowedByColon(line, end) { return (true, true, explicitKey) }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if alias && isFollowedByColon(line, end) { return (true, true, explicitKey) }
            default: break
            }
            before = line[end - 1]
            if let last = before, !last.isBlank { beforeBlanks = last }
            index = end
        }
        return (alias, false, explicitKey)
    }

    private static func isFollowedByColon(_ line: [UInt8], _ index: Int) -> Bool {
        line[index...].first { !$0.isBlank } == UInt8(ascii: ":")
    }
}

extension UInt8 {
    fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

    fileprivate var isAnchorCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension UInt8? {
    fileprivate var isBlankOrNil: Bool { self?.isBlank ?? true }

    fileprivate var isIndicatorOrNil: Bool {
        switch self {
        case nil, UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "?"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// Finds keys that may be nested deeper than any configuration needs, by a search in the text.
///
/// Yams hashes every key, and hashes a nested key once for each level: a thousand braces take a second. The check also
/// counts brackets in quotes and comments. No configuration needs as many open brackets as the limit.
enum KeyNesting {
    /// The maximum number of open brackets, and of question marks in one line.
    private static let most = 128

    /// The first line that exceeds the limit.
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

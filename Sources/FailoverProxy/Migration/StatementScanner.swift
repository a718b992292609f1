/// Reads SQL as it passes, and finds out whether it may change what a session has beyond its transactions: settings,
/// prepared statements, temporary tables, locks; PostgreSQL's documentation, chapter "Lexical Structure".
///
/// It knows what leaves nothing behind. Everything else may change the session, also what it does not understand. It
/// keeps no text, so a statement may arrive in pieces and be of any length.
struct StatementScanner {
    /// What the text may do to the session.
    private(set) var effect = StatementEffect.none

    private var place = Place.code
    private var word = Word()
    /// The word before the current place, if only white space is between them.
    private var latest: Word?
    /// Whether a parenthesis is the latest token.
    private var opened = false
    /// Whether `latest` ends right before the current place.
    private var isAdjacent = false
    private var previous: UInt8 = 0
    private var kind = StatementKind.none
    /// Whether the name of a setting comes next: the first argument of `set_config`.
    private var namesSetting = false
    /// Whether the string that is being read is that name.
    private var isName = false
    /// How many block comments are open; they nest.
    private var depth = 0
    private var tag = Word()
    /// The part of a dollar quote's end that has been read.
    private var matched = Word()

    private enum Place {
        /// Between two tokens.
        case code
        case word
        /// A number or a parameter such as `$1`.
        case number
        case quotedName
        case string(hasEscapes: Bool)
        case lineComment
        case blockComment
        /// After a dollar that may begin a quote.
        case dollarTag
        case dollarString
        /// After a dollar that may begin the end of the quote.
        case dollarEnd
    }

    /// Reads the next part of the text. It may have several statements.
    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            let before = previous
            previous = byte
            take(byte, after: before)
        }
    }

    /// The text has ended.
    mutating func end() {
        switch place {
        case .word: endWord()
        case .code, .number, .lineComment: break
        // The server finds an error there, or does not read as this does.
        case .quotedName, .string, .blockComment, .dollarTag, .dollarString, .dollarEnd: raise(.hidden)
        }
        endStatement()
        place = .code
    }

    private mutating func take(_ byte: UInt8, after before: UInt8) {
        switch place {
        case .code: takeCode(byte, after: before)
        case .word:
            guard byte.continuesWord else {
                endWord()
                isAdjacent = true
                place = .code
                return takeCode(byte, after: before)
            }
            word.append(byte)
        case .number:
            guard byte.continuesWord || byte == UInt8(ascii: ".") else {
                place = .code
                return takeCode(byte, after: before)
            }
        case .quotedName:
            // A doubled quote begins another part, which makes the name an unknown one.
            guard byte == UInt8(ascii: "\"") else { return word.append(byte, exactly: true) }
            endWord(isQuoted: true)
            place = .code
        case .string(let hasEscapes): takeString(byte, after: before, hasEscapes)
        case .lineComment: if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { place = .code }
        case .blockComment: takeComment(byte, after: before)
        case .dollarTag, .dollarString, .dollarEnd: takeDollar(byte, after: before)
        }
    }

    private mutating func takeCode(_ byte: UInt8, after before: UInt8) {
        let wasAdjacent = isAdjacent
        isAdjacent = false
        if byte.beginsWord {
            word = Word()
            word.append(byte)
            place = .word
            return
        }
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0b, 0x0c: return
        case UInt8(ascii: "("): if let latest { call(latest) }
        case UInt8(ascii: "."): raise(kind.takeDot())
        case UInt8(ascii: "\""):
            // A name with escapes in it.
            if before == UInt8(ascii: "&") { raise(.hidden) }
            word = Word()
            place = .quotedName
        case UInt8(ascii: "'"):
            isName = namesSetting
            namesSetting = false
            place = .string(hasEscapes: wasAdjacent && latest == Word("e"))
        case UInt8(ascii: "$"):
            tag = Word()
            place = .dollarTag
        case UInt8(ascii: "-") where before == byte: return place = .lineComment
        case UInt8(ascii: "*") where before == UInt8(ascii: "/"):
            // `/*/` does not end the comment.
            previous = 0
            depth = 1
            return place = .blockComment
        // They may begin a comment.
        case UInt8(ascii: "-"), UInt8(ascii: "/"): return
        case UInt8(ascii: ";"): endStatement()
        case UInt8(ascii: "0")...UInt8(ascii: "9"): place = .number
        default: break
        }
        latest = nil
        opened = byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
        // Any other argument than a string may be any name.
        if namesSetting, byte != UInt8(ascii: "(") { raise(.hidden) }
    }

    /// A function of this name is called.
    private mutating func call(_ function: Word) {
        raise(function.effectOfCall)
        namesSetting = function == "set_config"
    }

    private mutating func raise(_ other: StatementEffect) { effect = max(effect, other) }

    private mutating func takeString(_ byte: UInt8, after before: UInt8, _ hasEscapes: Bool) {
        let isQuoted = before == UInt8(ascii: "\\")
        if hasEscapes, isQuoted {
            // It quotes this byte, and none after it.
            previous = 0
            return
        }
        guard byte == UInt8(ascii: "'") else {
            // A setting that an application has made up is not among those that a server tells.
            if isName, byte == UInt8(ascii: ".") { raise(.hidden) }
            return
        }
        // With standard_conforming_strings=off it is not the end.
        if isQuoted { raise(.hidden) }
        isName = false
        place = .code
    }

    private mutating func takeComment(_ byte: UInt8, after before: UInt8) {
        switch (before, byte) {
        case (UInt8(ascii: "/"), UInt8(ascii: "*")): depth += 1
        case (UInt8(ascii: "*"), UInt8(ascii: "/")): depth -= 1
        default: return
        }
        previous = 0
        if depth == 0 { place = .code }
    }

    private mutating func takeDollar(_ byte: UInt8, after before: UInt8) {
        switch place {
        case .dollarTag where byte == UInt8(ascii: "$"): place = .dollarString
        case .dollarTag where tag.isEmpty ? byte.beginsWord : byte.continuesWord && byte != UInt8(ascii: "$"):
            tag.append(byte, exactly: true)
        case .dollarTag:
            // A parameter, or an operator.
            place = .number
            take(byte, after: before)
        case .dollarString where byte == UInt8(ascii: "$"):
            matched = Word()
            place = .dollarEnd
        case .dollarEnd where byte == UInt8(ascii: "$"):
            // A tag that is too long to be kept ends nowhere.
            if matched == tag, !tag.isCutOff { place = .code } else { matched = Word() }
        case .dollarEnd where byte.continuesWord: matched.append(byte, exactly: true)
        case .dollarEnd: place = .dollarString
        default: break
        }
    }

    private mutating func endWord(isQuoted: Bool = false) {
        if namesSetting { raise(.hidden) }
        // A quoted name is no keyword.
        if isQuoted { kind.takeName() } else { kind.take(word, inParentheses: opened) }
        raise(kind.effect)
        latest = word
        opened = false
    }

    private mutating func endStatement() {
        // SET without a name is an error.
        if kind == .set { raise(.hidden) }
        kind = .none
        latest = nil
        namesSetting = false
    }
}

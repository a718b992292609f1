/// What a statement may do to the session that executes it, beyond the transaction.
enum StatementEffect: Comparable {
    case none
    /// Something that the server tells when it is asked for the session's state.
    case told
    /// Something that the server cannot tell, such as a setting that an application has made up, or anything at all.
    case hidden
}

/// What the words of a statement have shown so far.
enum StatementKind: Equatable {
    /// There was no word yet.
    case none
    /// It changes at most data.
    case plain
    case updating
    /// It reads, and could also create a table (`SELECT … INTO`).
    case reading
    /// After `INSERT` or `MERGE`, which are followed by `INTO`.
    case writing
    /// After `SET`. `LOCAL` or `TRANSACTION` is to show that it ends with the transaction.
    case set
    /// After such a word.
    case setOfTransaction
    /// `SET` or `RESET` of a setting of the session.
    case setting
    /// A cursor. It outlives its transaction if it is declared `WITH HOLD`.
    case declaring
    /// It shows a plan, and may carry out the statement.
    case explaining
    case told
    case hidden

    var effect: StatementEffect {
        switch self {
        case .none, .plain, .updating, .reading, .writing, .set, .setOfTransaction, .declaring, .explaining: .none
        case .told, .setting: .told
        case .hidden: .hidden
        }
    }

    private static let plainWords = Word.set(
        "abort", "begin", "commit", "copy", "delete", "end", "fetch", "lock", "move", "notify", "release",
        "rollback", "savepoint", "show", "start")
    private static let readingWords = Word.set("select", "table", "values", "with")
    private static let writingWords = Word.set("insert", "merge")
    private static let toldWords = Word.set(
        "alter", "analyze", "close", "cluster", "comment", "create", "deallocate", "discard", "drop", "execute", "grant",
        "listen", "prepare", "refresh", "reindex", "revoke", "truncate", "unlisten", "vacuum")
    /// What a `SET` of the current transaction begins with.
    private static let ofTransaction = Word.set("constraints", "local", "transaction")
    /// What a plan may be shown of, besides what may be read and written.
    private static let explainable = Word.set("create", "declare", "execute", "into", "refresh")

    /// The next word of the statement.
    ///
    /// - Parameter inParentheses: whether a parenthesis is right before it.
    mutating func take(_ word: Word, inParentheses: Bool) {
        switch self {
        case .none: begin(word)
        case .set: self = Self.ofTransaction.contains(word) ? .setOfTransaction : Self.setting(word)
        case .setOfTransaction: self = .plain
        case .setting: if word == "seed" { self = .hidden }
        case .declaring: if word == "hold" { self = .told }
        case .explaining: if Self.explainable.contains(word) { self = .told }
        case .updating: self = word == "pg_settings" ? .told : word == "only" || word == "pg_catalog" ? .updating : .plain
        case .reading:
            if word == "into" { self = .told }
            // Elsewhere it is the name of something.
            if inParentheses, Self.writingWords.contains(word) { self = .writing }
        case .writing: self = .reading
        case .plain, .told, .hidden: break
        }
    }

    /// A quoted name, which is no keyword.
    mutating func takeName() {
        switch self {
        case .none: self = .hidden
        case .set: self = .setting
        case .setOfTransaction, .updating: self = .plain
        case .writing: self = .reading
        case .plain, .reading, .setting, .declaring, .explaining, .told, .hidden: break
        }
    }

    /// A dot. In the name of a setting, it shows that an application has made up the setting, also if the name begins
    /// like `LOCAL`.
    mutating func takeDot() -> StatementEffect {
        if self == .setting || self == .setOfTransaction { self = .hidden }
        return effect
    }

    private static func setting(_ word: Word) -> StatementKind { word == "seed" ? .hidden : .setting }

    private mutating func begin(_ word: Word) {
        self =
            switch word {
            case _ where Self.plainWords.contains(word): .plain
            case _ where Self.readingWords.contains(word): .reading
            case _ where Self.writingWords.contains(word): .writing
            case _ where Self.toldWords.contains(word): .told
            case "update": .updating
            case "set": .set
            case "reset": .setting
            case "declare": .declaring
            case "explain": .explaining
            default: .hidden
            }
    }
}

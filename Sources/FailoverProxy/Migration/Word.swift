/// A word of SQL in lower case. Of a longer one only the beginning is kept, which equals no other word.
struct Word: Hashable, ExpressibleByStringLiteral {
    private var bytes = SIMD32<UInt8>()
    private var count: UInt8 = 0
    private(set) var isCutOff = false

    init() {}

    init(stringLiteral text: StaticString) {
        text.withUTF8Buffer { for byte in $0 { append(byte) } }
    }

    init(_ text: StaticString) { self.init(stringLiteral: text) }

    static func set(_ words: Word...) -> Set<Word> { Set(words) }

    var isEmpty: Bool { count == 0 }

    /// - Parameter exactly: whether upper case remains.
    mutating func append(_ byte: UInt8, exactly: Bool = false) {
        guard Int(count) < bytes.scalarCount else {
            isCutOff = true
            return
        }
        bytes[Int(count)] = exactly ? byte : byte.lowercased
        count += 1
    }

    func hasPrefix(_ prefix: Word) -> Bool {
        guard prefix.count <= count else { return false }
        for index in 0..<Int(prefix.count) where bytes[index] != prefix.bytes[index] { return false }
        return true
    }

    /// What a function of this name may do to the session.
    var effectOfCall: StatementEffect {
        if isCutOff { return .hidden }
        // UPDATE … SET (…)
        if self == "set" { return .none }
        if self == "set_config" { return .told }
        if Self.advisory.contains(where: hasPrefix) {
            return Self.ofTransaction.contains(where: hasPrefix) ? .none : .told
        }
        return self == "nextval" || Self.hidden.contains(where: hasPrefix) ? .hidden : .none
    }

    private static let advisory: [Word] = ["pg_advisory_", "pg_try_advisory_"]
    /// Locks that end with the transaction.
    private static let ofTransaction: [Word] = ["pg_advisory_xact_", "pg_try_advisory_xact_"]
    /// Random numbers, sequences and settings of extensions; other servers; the origin of replicated changes; backups and
    /// replication slots that end with the session.
    private static let hidden: [Word] = [
        "set", "dblink_", "pg_replication_origin_session_", "pg_backup_", "pg_start_backup", "pg_stop_backup",
        "pg_create_",
    ]
}

extension UInt8 {
    fileprivate var lowercased: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }

    /// Whether an identifier or a keyword can begin with the byte.
    var beginsWord: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    var continuesWord: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "$"): true
        default: beginsWord
        }
    }
}

import FailoverCore

extension String {
    /// The text as it may stand in a log line: one line, no control characters, at most 300 characters, no secret of four
    /// characters or more. A shorter one is in so many words that to hide it would show it, and nothing else.
    func asOneLine(hiding secret: Secret?) -> String {
        var text = self
        if let secret = secret?.reveal(), secret.count >= 4 {
            text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "(hidden)")
        }
        let scalars = text.unicodeScalars.map { scalar -> Character in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate: " "
            default: Character(scalar)
            }
        }
        let line = String(scalars).split(separator: " ").joined(separator: " ")
        return line.count <= 300 ? line : "\(line.prefix(299))…"
    }
}

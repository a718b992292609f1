/// A password or token. Only ``reveal()`` returns its text. Logging or printing it shows `(hidden)`.
public struct Secret: Hashable, Sendable {
    private let text: String

    public init(_ text: String) { self.text = text }

    /// The text of the secret, for the driver that sends it.
    public func reveal() -> String { text }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(hidden)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension String {
    /// The text in a form that is safe for a log line or an error: one line, no control characters, and no secret of
    /// four characters or more. A shorter secret is not hidden: it often occurs in other text by chance, and hiding it
    /// there would reveal it.
    ///
    /// - Parameters:
    ///   - secret: the text to hide.
    ///   - limit: the maximum number of characters. `…` replaces the rest.
    package func asOneLine(hiding secret: Secret? = nil, atMost limit: Int = 300) -> String {
        var text = self
        if let secret = secret?.reveal(), secret.count >= 4 {
            text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "(hidden)")
        }
        let line = text.withoutControls.split(separator: " ").joined(separator: " ")
        return line.count <= limit ? line : "\(line.prefix(limit - 1))…"
    }

    /// The text with a space in place of each line break and other invisible character. A text from outside must not
    /// forge a log line or control the terminal.
    package var withoutControls: String {
        guard unicodeScalars.contains(where: \.isControl) else { return self }
        return String(UnicodeScalarView(unicodeScalars.map { $0.isControl ? " " : $0 }))
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate: true
        default: false
        }
    }
}

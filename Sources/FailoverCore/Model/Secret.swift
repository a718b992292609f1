/// A password or token. Its text comes out only where it is asked for by name, never through logging or printing.
public struct Secret: Hashable, Sendable {
    private let text: String

    public init(_ text: String) { self.text = text }

    /// The secret itself, for the driver that needs it.
    public func reveal() -> String { text }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "(hidden)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension String {
    /// The text as it may stand in a log line or an error: one line, no control characters, no secret of four characters or
    /// more. A shorter one is in so many words that to hide it would show it, and nothing else.
    ///
    /// - Parameters:
    ///   - secret: what must not be shown.
    ///   - limit: the most characters; what is cut off is shown as `…`.
    package func asOneLine(hiding secret: Secret? = nil, atMost limit: Int = 300) -> String {
        var text = self
        if let secret = secret?.reveal(), secret.count >= 4 {
            text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "(hidden)")
        }
        let line = text.withoutControls.split(separator: " ").joined(separator: " ")
        return line.count <= limit ? line : "\(line.prefix(limit - 1))…"
    }

    /// The text with a space in place of each line break and other character that is not shown: a text from elsewhere must
    /// not be able to forge a line, or to talk to the terminal.
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

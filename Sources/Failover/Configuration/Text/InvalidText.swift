/// Why a piece of text is not the value it should be, as a sentence for whoever wrote it.
struct InvalidText: Error, Equatable {
    let message: String

    init(_ message: String) { self.message = message }
}

extension String {
    /// The text between back quotes for a message: short, and without control characters.
    var quotedForMessage: String { quotedForMessage(limit: 60) }

    /// The same with at most so many characters.
    func quotedForMessage(limit: Int) -> String {
        var shown = ""
        for scalar in unicodeScalars.prefix(limit) {
            shown += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return unicodeScalars.count > limit ? "`\(shown)…`" : "`\(shown)`"
    }
}

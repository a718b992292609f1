/// Why a text is not a valid value, as a message for the author of the file.
package struct InvalidText: Error, Equatable {
    let message: String

    init(_ message: String) { self.message = message }
}

extension String {
    /// The text between back quotes for a message: short, and without control characters.
    var quotedForMessage: String { quotedForMessage(limit: 60) }

    /// The text between back quotes for a message, with at most `limit` characters.
    func quotedForMessage(limit: Int) -> String {
        var shown = ""
        for scalar in unicodeScalars.prefix(limit) {
            shown += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return unicodeScalars.count > limit ? "`\(shown)…`" : "`\(shown)`"
    }
}

/// Finds the key that was probably meant.
enum KeySuggestion {
    /// The candidate that is nearest to a word; `nil` if none is near enough. If several are equally near, the first
    /// one is returned.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let word = word.lowercased().replacing("-", with: "_")
        let limit = max(1, word.count / 3)
        var best: (candidate: String, distance: Int)?
        for candidate in candidates where abs(candidate.count - word.count) <= limit {
            let distance = distance(word, candidate)
            if distance <= limit && distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.candidate
    }

    /// How many bytes must be inserted, deleted, replaced or swapped with their neighbour to change `a` into `b`.
    static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.utf8.prefix(64)), Array(b.utf8.prefix(64)))
        var rowBeforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, rowBeforeLast[j - 1] + 1) }
                row.append(cost)
            }
            (rowBeforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}

/// The keys that one kind of section may have, by name.
struct Vocabulary: Sendable {
    /// The section's name in messages: `a database alias`.
    let section: String
    let keys: [String]

    /// Why a key does not belong here, and which key was probably meant; `nil` if it belongs here.
    ///
    /// - Parameter others: the vocabularies of other sections, to which the key may belong.
    func objection(to key: String, others: [Vocabulary]) -> (message: String, suggestion: String?)? {
        if keys.contains(key) { return nil }
        if key == "<<" { return ("YAML merge keys are not supported", nil) }
        if let home = others.first(where: { $0.keys.contains(key) }) {
            return ("unknown key here; it belongs to \(home.section)", nil)
        }
        if let suggestion = KeySuggestion.nearest(to: key, among: keys) {
            return ("unknown key; did you mean `\(suggestion)`?", suggestion)
        }
        return ("unknown key", nil)
    }
}

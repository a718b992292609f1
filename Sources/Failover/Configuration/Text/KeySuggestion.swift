/// Finds the key that was probably meant.
enum KeySuggestion {
    /// The candidate nearest to a word; `nil` if none is near enough. The first of equally near ones wins.
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

    /// How many bytes must be inserted, deleted, replaced or swapped with their neighbour to make `b` of `a`.
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

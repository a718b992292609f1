/// Where in a file something stands.
struct Place {
    /// `services.slave.listen[1]`; empty for the file as a whole.
    var keyPath = ""
    var line: Int?

    /// The place of a key of the mapping here.
    func key(_ name: String, line: Int?) -> Place {
        let shown = name.count > 64 ? name.prefix(64) + "…" : name[...]
        if name.isEmpty { return key("\"\"", line: line) }
        let safe = String(shown.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 32 } ? "?" : $0 })
        return Place(keyPath: keyPath.isEmpty ? safe : "\(keyPath).\(safe)", line: line)
    }

    /// The place of an element of the list here.
    func element(_ index: Int, line: Int?) -> Place { Place(keyPath: "\(keyPath)[\(index)]", line: line) }
}

/// Collects the problems of one file while it is read, and where its secrets are.
final class ProblemLog {
    /// The file, as messages name it.
    let file: String
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var secretPlaces: [SecretPlace] = []

    init(file: String) { self.file = file }

    func note(_ place: SecretPlace) { secretPlaces.append(place) }

    func report(_ message: String, at place: Place = Place()) {
        problems.append(
            ConfigurationProblem(file: file, line: place.line, keyPath: place.keyPath, message: message))
    }
}

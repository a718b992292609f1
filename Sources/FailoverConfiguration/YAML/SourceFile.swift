import SystemPackage

/// The file that is being read: its folder, the environment, the mistakes found, and the places of secrets.
final class SourceFile {
    /// The file's name in messages.
    let name: String
    /// The folder at which relative paths start.
    let folder: FilePath
    /// The variables for `{env: NAME}`.
    let environment: (String) -> String?
    /// The keys of every kind of section, to recognize a key in the wrong section.
    let vocabularies: [Vocabulary]
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var secretPlaces: [SecretPlace] = []

    init(
        name: String, vocabularies: [Vocabulary] = [], environment: @escaping (String) -> String? = { _ in nil }
    ) {
        self.name = name
        self.folder = FilePath(name).removingLastComponent()
        self.vocabularies = vocabularies
        self.environment = environment
    }

    func note(_ location: SecretPlace) { secretPlaces.append(location) }

    func report(_ message: String, at location: SourceLocation = SourceLocation()) {
        problems.append(
            ConfigurationProblem(file: name, line: location.line, keyPath: location.keyPath, message: message))
    }
}

/// A location in a file.
struct SourceLocation {
    /// The path of the key, such as `services.slave.listen[1]`; empty for the file as a whole.
    var keyPath = ""
    var line: Int?

    /// The location of a key in the mapping at this location.
    func key(_ name: String, line: Int?) -> SourceLocation {
        let shown = name.count > 64 ? name.prefix(64) + "…" : name[...]
        if name.isEmpty { return key("\"\"", line: line) }
        let safe = String(shown.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 32 } ? "?" : $0 })
        return SourceLocation(keyPath: keyPath.isEmpty ? safe : "\(keyPath).\(safe)", line: line)
    }

    /// The location of an element of the list at this location.
    func element(_ index: Int, line: Int?) -> SourceLocation {
        SourceLocation(keyPath: "\(keyPath)[\(index)]", line: line)
    }
}

import SystemPackage

/// The file that is read: what its paths and variables mean, what is wrong with it, and where its secrets are.
final class SourceFile {
    /// The file, as messages name it.
    let name: String
    /// Where relative paths start.
    let folder: FilePath
    /// What `{env: NAME}` looks in.
    let environment: (String) -> String?
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var secretPlaces: [SecretPlace] = []

    init(name: String, environment: @escaping (String) -> String? = { _ in nil }) {
        self.name = name
        self.folder = FilePath(name).removingLastComponent()
        self.environment = environment
    }

    func note(_ location: SecretPlace) { secretPlaces.append(location) }

    func report(_ message: String, at location: SourceLocation = SourceLocation()) {
        problems.append(ConfigurationProblem(file: name, line: location.line, keyPath: location.keyPath, message: message))
    }
}

/// Where in a file something stands.
struct SourceLocation {
    /// `services.slave.listen[1]`; empty for the file as a whole.
    var keyPath = ""
    var line: Int?

    /// The place of a key of the mapping here.
    func key(_ name: String, line: Int?) -> SourceLocation {
        let shown = name.count > 64 ? name.prefix(64) + "…" : name[...]
        if name.isEmpty { return key("\"\"", line: line) }
        let safe = String(shown.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 32 } ? "?" : $0 })
        return SourceLocation(keyPath: keyPath.isEmpty ? safe : "\(keyPath).\(safe)", line: line)
    }

    /// The place of an element of the list here.
    func element(_ index: Int, line: Int?) -> SourceLocation { SourceLocation(keyPath: "\(keyPath)[\(index)]", line: line) }
}

import Yams

/// A mapping of the file: its keys, in file order, and their values.
struct Section {
    let place: Place
    let log: ProblemLog
    /// The keys and their values, in file order.
    let entries: [(key: String, value: Value)]
    private var values: [String: Value]

    init(_ mapping: Node.Mapping, place: Place, log: ProblemLog) {
        self.place = place
        self.log = log
        var entries: [(key: String, value: Value)] = []
        for (key, node) in mapping {
            let line = key.mark?.line
            guard case .scalar(let scalar) = key else {
                let message = "a key must be text, found \(key.kindForMessage)"
                log.report(message, at: Place(keyPath: place.keyPath, line: line))
                continue
            }
            let value = Value(node: node, place: place.key(scalar.string, line: line), log: log)
            entries.append((scalar.string, value))
        }
        self.entries = entries
        values = Dictionary(entries.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// The value of a key, if the file has it.
    subscript(key: String) -> Value? { values[key] }

    func report(_ message: String) { log.report(message, at: place) }

    /// The value of a key that must be there; reports its absence.
    func required(_ key: String) -> Value? {
        if let value = values[key] { return value }
        report("`\(key)` is missing")
        return nil
    }

    /// This section after reporting the keys that do not belong into one of this kind.
    ///
    /// A misspelt key stands in for the one that was probably meant, so that it is not reported as missing too.
    func checked(as vocabulary: Vocabulary) -> Section {
        var section = self
        for (key, value) in entries {
            guard let objection = vocabulary.objection(to: key) else { continue }
            value.report(objection.message)
            if let meant = objection.suggestion, values[meant] == nil { section.values[meant] = value }
        }
        return section
    }
}

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

extension Node {
    /// `key:` with nothing after it, `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// What this is, for a message.
    var kindForMessage: String {
        switch self {
        case .scalar: isNull ? "nothing" : "a single value"
        case .mapping: "keys and values"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    /// Whether the tag is one that says no more than the shape does.
    var hasPlainTag: Bool {
        let name = Tag.Name(rawValue: tag.rawValue)
        return name == .implicit || name == .str || name == .map || name == .seq
    }
}

import Yams

/// A mapping of the file, with its keys and values.
struct Section {
    let location: SourceLocation
    let file: SourceFile
    /// The keys and their values, in file order.
    let entries: [(key: String, value: Value)]
    private var values: [String: Value]

    init(_ mapping: Node.Mapping, location: SourceLocation, file: SourceFile) {
        self.location = location
        self.file = file
        var entries: [(key: String, value: Value)] = []
        for (key, node) in mapping {
            let line = key.mark?.line
            guard case .scalar(let scalar) = key else {
                let message = "a key must be text, found \(key.kindForMessage)"
                file.report(message, at: SourceLocation(keyPath: location.keyPath, line: line))
                continue
            }
            let value = Value(node: node, location: location.key(scalar.string, line: line), file: file)
            entries.append((scalar.string, value))
        }
        self.entries = entries
        values = Dictionary(entries.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    }

    /// The value of a key; `nil` if the file does not have it.
    subscript(key: String) -> Value? { values[key] }

    func report(_ message: String) { file.report(message, at: location) }

    /// The value of a required key. Reports a missing key.
    func required(_ key: String) -> Value? {
        if let value = values[key] { return value }
        report("`\(key)` is missing")
        return nil
    }

    /// The section, after reporting the keys that do not belong in a section of this kind.
    ///
    /// The value of a misspelt key is used for the key that was probably meant, so that this key is not reported as
    /// missing.
    func checked(as vocabulary: Vocabulary) -> Section {
        var section = self
        for (key, value) in entries {
            guard let objection = vocabulary.objection(to: key, others: file.vocabularies) else { continue }
            value.report(objection.message)
            if let meant = objection.suggestion, values[meant] == nil { section.values[meant] = value }
        }
        return section
    }
}

extension Node {
    /// `key:` with nothing after it, `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// The kind of the node, in messages.
    var kindForMessage: String {
        switch self {
        case .scalar: isNull ? "nothing" : "a single value"
        case .mapping: "keys and values"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    /// Whether the tag adds nothing to the shape of the node.
    var hasPlainTag: Bool {
        let name = Tag.Name(rawValue: tag.rawValue)
        return name == .implicit || name == .str || name == .map || name == .seq
    }
}

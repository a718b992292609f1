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

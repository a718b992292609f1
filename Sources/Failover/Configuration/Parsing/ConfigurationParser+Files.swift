import FailoverCore
import FailoverSystem
import SystemPackage
import Yams

extension ConfigurationParser {
    /// A string, `{env: NAME}` or `{file: PATH}`. No message holds what was found, not even a wrong key.
    func secret(_ value: Value) -> Secret? { secret(value) { _ in true } }

    /// - Parameter isSecret: whether a text that stands in the file itself needs to be kept from anybody.
    func secret(_ value: Value, isSecret: (String) -> Bool) -> Secret? {
        let expectation = "expected a string, {env: NAME} or {file: PATH}"
        guard case .mapping(let mapping) = value.node else {
            guard let text = value.scalar(expectation).flatMap({ _ in value.text() }) else { return nil }
            if isSecret(text) { log.note(SecretPlace(keyPath: value.place.keyPath, file: nil)) }
            return Secret(text)
        }
        let section = Section(mapping, place: value.place, log: ProblemLog(file: ""))
        guard section.entries.count == 1, let (key, source) = section.entries.first, ["env", "file"].contains(key),
            source.textIfAny != nil
        else {
            value.report("\(expectation), found other keys or values")
            return nil
        }
        let named = Value(node: source.node, place: value.place.key(key, line: source.place.line), log: log)
        guard let name = named.text() else { return nil }
        return key == "env" ? secret(variable: name, named) : secret(file: name, named, of: value.place)
    }

    /// The path of the file that a secret is read from; `nil` of one that stands elsewhere.
    func secretFile(_ value: Value) -> String? {
        guard case .mapping(let mapping) = value.node, let name = mapping["file"]?.string else { return nil }
        return folder.pushing(FilePath(name)).string
    }

    private func secret(variable name: String, _ value: Value) -> Secret? {
        Environment.noteSecret(name)
        guard let text = environment(name) else {
            value.report("the environment has no variable \(name.quotedForMessage)")
            return nil
        }
        if text.isEmpty {
            value.report("the environment variable \(name.quotedForMessage) is empty")
            return nil
        }
        return Secret(text)
    }

    private func secret(file name: String, _ value: Value, of place: Place) -> Secret? {
        let path = folder.pushing(FilePath(name))
        guard let file = smallFile(path, maximumSize: 64 * 1024, value) else { return nil }
        log.note(SecretPlace(keyPath: place.keyPath, file: path.string))
        var text = file.text
        if text.last?.isNewline == true { text.removeLast() }
        if text.isEmpty || text.utf8.contains(0) {
            value.report("\(path.quotedForMessage): \(text.isEmpty ? "empty" : "has a NUL character")")
            return nil
        }
        return Secret(text)
    }

    /// The path of a readable PEM file.
    func certificateFile(_ value: Value) -> String? {
        guard let name = value.text() else { return nil }
        let path = folder.pushing(FilePath(name))
        guard let file = smallFile(path, maximumSize: 4 << 20, value) else { return nil }
        guard file.text.contains("-----BEGIN ") else {
            value.report("\(path.quotedForMessage): no PEM certificate")
            return nil
        }
        return path.string
    }

    private func smallFile(_ path: FilePath, maximumSize: Int, _ value: Value) -> SmallFile? {
        do {
            return try SmallFile(path: path, maximumSize: maximumSize)
        } catch {
            value.report("\(path.quotedForMessage): \(error.message)")
            return nil
        }
    }
}

extension FilePath {
    fileprivate var quotedForMessage: String { string.quotedForMessage(limit: 4096) }
}

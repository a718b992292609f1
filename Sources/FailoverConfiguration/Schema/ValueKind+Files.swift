import FailoverCore
import FailoverSystem
import SystemPackage
import Yams

extension ValueKind<Secret> {
    static var secret: Self { Self(name: "secret", write: { .text($0.description) }, read: { $0.secret() }) }

    /// The token that clients of the admin plane send.
    static var token: Self {
        secret.checked { $0.reveal().utf8.count < 8 ? "a token needs at least 8 characters" : nil }
    }

    /// The URL of a webhook. Only its scheme, host and port are written.
    static var webhookURL: Self {
        Self(name: "secret", write: { .text("\($0.origin)/\($0)") }) { value in
            value.secret().flatMap { url in
                value.read { () throws(InvalidText) in
                    try WebhookURL.check(url.reveal())
                    return url
                }
            }
        }
    }
}

extension ValueKind {
    /// The URL of a server. It is a secret if it contains a login.
    static func url(
        _ make: @escaping @Sendable (String) throws(InvalidText) -> Content,
        hidden: @escaping @Sendable (Content) -> String
    ) -> ValueKind {
        ValueKind(name: "secret", write: { .text(hidden($0)) }) { value in
            value.secret { $0.contains("@") }.flatMap { url in
                value.read { () throws(InvalidText) in try make(url.reveal()) }
            }
        }
    }
}

extension ValueKind<String> {
    /// A path: absolute, or relative to the folder of the configuration file.
    static var path: Self {
        Self(name: "path", write: { .text($0) }) { value in
            value.text().map { value.file.folder.pushing(FilePath($0)).string }
        }
    }

    /// The path of a readable PEM file.
    static var certificateFile: Self {
        Self(name: "path", write: { .text($0) }) { value in
            guard let path = Self.path.read(value).map({ FilePath($0) }) else { return nil }
            guard let file = value.smallFile(path, maximumSize: 4 << 20) else { return nil }
            if file.text.contains("-----BEGIN ") { return path.string }
            value.report("\(path.quotedForMessage): no PEM certificate")
            return nil
        }
    }

    /// The path of a file with a private key. It is noted as the place of a secret.
    static var privateKeyFile: Self {
        Self(name: "path", write: { .text($0) }) { value in
            let path = Self.path.read(value)
            if let path { value.file.note(SecretPlace(keyPath: value.location.keyPath, file: path)) }
            return path
        }
    }
}

extension Value {
    /// Reads a string, `{env: NAME}` or `{file: PATH}`. No message repeats the content, not even a wrong key.
    ///
    /// - Parameter isSecret: whether a text in the file itself must be kept secret.
    fileprivate func secret(isSecret: (String) -> Bool = { _ in true }) -> Secret? {
        let expectation = "expected a string, {env: NAME} or {file: PATH}"
        guard case .mapping(let mapping) = node else {
            guard let text = scalar(expectation).flatMap({ _ in text() }) else { return nil }
            if isSecret(text) { file.note(SecretPlace(keyPath: location.keyPath, file: nil)) }
            return Secret(text)
        }
        let section = Section(mapping, location: location, file: SourceFile(name: ""))
        guard section.entries.count == 1, let (key, source) = section.entries.first, ["env", "file"].contains(key),
            source.textIfAny != nil
        else {
            report("\(expectation), found other keys or values")
            return nil
        }
        let named = Value(node: source.node, location: location.key(key, line: source.location.line), file: file)
        guard let name = named.text() else { return nil }
        return key == "env" ? named.secret(variable: name) : named.secret(file: name, of: location)
    }

    /// The path of the file that the secret is read from; `nil` if the secret is elsewhere.
    var secretFile: String? {
        guard case .mapping(let mapping) = node, let name = mapping["file"]?.string else { return nil }
        return file.folder.pushing(FilePath(name)).string
    }

    private func secret(variable name: String) -> Secret? {
        Environment.noteSecret(name)
        guard let text = file.environment(name) else {
            report("the environment has no variable \(name.quotedForMessage)")
            return nil
        }
        if text.isEmpty {
            report("the environment variable \(name.quotedForMessage) is empty")
            return nil
        }
        return Secret(text)
    }

    private func secret(file name: String, of location: SourceLocation) -> Secret? {
        let path = file.folder.pushing(FilePath(name))
        guard let content = smallFile(path, maximumSize: 64 * 1024) else { return nil }
        file.note(SecretPlace(keyPath: location.keyPath, file: path.string))
        var text = content.text
        if text.last?.isNewline == true { text.removeLast() }
        if text.isEmpty || text.utf8.contains(0) {
            report("\(path.quotedForMessage): \(text.isEmpty ? "empty" : "has a NUL character")")
            return nil
        }
        return Secret(text)
    }

    fileprivate func smallFile(_ path: FilePath, maximumSize: Int) -> SmallFile? {
        do {
            return try SmallFile(path: path.string, maximumSize: maximumSize)
        } catch {
            report("\(path.quotedForMessage): \(error)")
            return nil
        }
    }
}

extension FilePath {
    fileprivate var quotedForMessage: String { string.quotedForMessage(limit: 4096) }
}

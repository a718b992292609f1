/// Where a configuration keeps a secret; not the secret.
package struct SecretPlace: Hashable, Sendable {
    /// `databases.slave.password`
    package var keyPath: String
    /// The path of the file that it stands in; `nil` is the configuration itself.
    package var file: String?

    package init(keyPath: String, file: String?) {
        self.keyPath = keyPath
        self.file = file
    }
}

import FailoverSystem

extension Configuration {
    /// Reads and checks a configuration file.
    ///
    /// - Parameters:
    ///   - path: the path of the file, whose size is at most 1 MiB. Relative paths in the file start at its folder.
    ///   - environment: the variables for `{env: NAME}`; `nil`, the default, uses the environment of the process.
    /// - Throws: ``ConfigurationError`` with all mistakes of the file.
    public static func load(
        path: String, environment: [String: String]? = nil
    ) throws(ConfigurationError) -> Configuration {
        try loadNotingSecrets(path: path, environment: environment).configuration
    }

    /// Does the same as ``load(path:environment:)``, and also returns the places of secrets: the file itself, or files
    /// that it names.
    package static func loadNotingSecrets(
        path: String, environment: [String: String]? = nil
    ) throws(ConfigurationError) -> (configuration: Configuration, secrets: [SecretPlace]) {
        try parseNotingSecrets(try text(of: path), fileName: path) { name in
            environment.map { $0[name] } ?? Environment.value(of: name)
        }
    }

    /// Reads only the `admin` section of a configuration file, for commands that talk to the running process. They
    /// need no other secrets than its token, and work while other sections are being edited.
    ///
    /// - Returns: `nil` if the file has no such section.
    /// - Throws: all mistakes of that section at once.
    package static func loadAdmin(
        path: String, environment: [String: String]? = nil
    ) throws(ConfigurationError) -> AdminConfiguration? {
        let file = SourceFile(name: path) { name in environment.map { $0[name] } ?? Environment.value(of: name) }
        return try ConfigurationParser(file: file).parseAdmin(try text(of: path))
    }

    private static func text(of path: String) throws(ConfigurationError) -> String {
        do {
            return try SmallFile(path: path, maximumSize: YAMLText.maximumSize, waits: true).text
        } catch {
            let problem = ConfigurationProblem(file: path, line: nil, keyPath: "", message: "\(error)")
            throw ConfigurationError(problems: [problem])
        }
    }

    /// Checks the text of a configuration.
    ///
    /// - Parameters:
    ///   - text: the text in YAML.
    ///   - fileName: the name of the file in messages. Relative paths in the text start at its folder.
    ///   - environment: the variables for `{env: NAME}`.
    /// - Throws: ``ConfigurationError`` with all mistakes of the text.
    public static func parse(
        _ text: String, fileName: String, environment: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        try parseNotingSecrets(text, fileName: fileName) { environment[$0] }.configuration
    }

    private static func parseNotingSecrets(
        _ text: String, fileName: String, environment: @escaping (String) -> String?
    ) throws(ConfigurationError) -> (configuration: Configuration, secrets: [SecretPlace]) {
        let file = SourceFile(name: fileName, vocabularies: Schema.vocabularies, environment: environment)
        let configuration = try ConfigurationParser(file: file).parse(text)
        return (configuration, file.secretPlaces)
    }
}

extension Configuration {
    /// The effective configuration as YAML: every key with its value or default. Secrets are shown as `(hidden)`.
    ///
    /// Settings of monitoring are not written at the top level, but with the aliases and services that they apply to.
    public func rendered() -> String { YAML.block(Schema.top.written(TopLevel(configuration: self))) }
}

import FailoverSystem

extension Configuration {
    /// Reads and checks a configuration file.
    ///
    /// - Parameters:
    ///   - path: the file, 1 MiB at most. Relative paths inside it start at its folder.
    ///   - environment: the variables for `{env: NAME}`; `nil` stands for the process's own environment.
    /// - Throws: all mistakes of the file at once.
    public static func load(
        path: String, environment: [String: String]? = nil
    ) throws(ConfigurationError) -> Configuration {
        try loadNotingSecrets(path: path, environment: environment).configuration
    }

    /// Like ``load(path:environment:)``, and also returns where the file keeps secrets: in itself or in files that it
    /// names.
    package static func loadNotingSecrets(
        path: String, environment: [String: String]? = nil
    ) throws(ConfigurationError) -> (configuration: Configuration, secrets: [SecretPlace]) {
        let file: SmallFile
        do {
            file = try SmallFile(path: path, maximumSize: YAMLText.maximumSize, waits: true)
        } catch {
            let problem = ConfigurationProblem(file: path, line: nil, keyPath: "", message: "\(error)")
            throw ConfigurationError(problems: [problem])
        }
        return try parseNotingSecrets(file.text, fileName: path) { name in
            environment.map { $0[name] } ?? Environment.value(of: name)
        }
    }

    /// Checks the text of a configuration.
    ///
    /// - Parameters:
    ///   - text: YAML.
    ///   - fileName: the file's name in messages; relative paths in the text start at its folder.
    ///   - environment: the variables for `{env: NAME}`.
    /// - Throws: all mistakes of the text at once.
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
    /// The effective configuration as YAML: every key with its value, defaults filled in, secrets as `(hidden)`.
    ///
    /// The settings of monitoring are written with the aliases and services that they apply to, not at the top level.
    public func rendered() -> String { YAML.block(Schema.top.written(TopLevel(configuration: self))) }
}

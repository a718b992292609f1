import FailoverSystem
import SystemPackage

extension Configuration {
    /// Reads and checks a configuration file.
    ///
    /// - Parameters:
    ///   - path: the file, 1 MiB at most. Relative paths inside it start at its folder.
    ///   - environment: what `{env: NAME}` looks in; `nil` is the process's own environment.
    /// - Throws: all mistakes of the file at once.
    public static func load(
        path: String, environment: [String: String]? = nil
    ) throws(ConfigurationError) -> Configuration {
        try loadNotingSecrets(path: path, environment: environment).configuration
    }

    /// The same, and where the file keeps secrets: in itself, or in files that it names.
    package static func loadNotingSecrets(
        path: String, environment: [String: String]? = nil
    ) throws(ConfigurationError) -> (configuration: Configuration, secrets: [SecretPlace]) {
        let file: SmallFile
        do {
            file = try SmallFile(path: FilePath(path), maximumSize: YAMLText.maximumSize, waits: true)
        } catch {
            let problem = ConfigurationProblem(file: path, line: nil, keyPath: "", message: error.message)
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
    ///   - fileName: stands in messages; relative paths in the text start at its folder.
    ///   - environment: what `{env: NAME}` looks in.
    /// - Throws: all mistakes of the text at once.
    public static func parse(
        _ text: String, fileName: String, environment: [String: String]
    ) throws(ConfigurationError) -> Configuration {
        try parseNotingSecrets(text, fileName: fileName) { environment[$0] }.configuration
    }

    private static func parseNotingSecrets(
        _ text: String, fileName: String, environment: @escaping (String) -> String?
    ) throws(ConfigurationError) -> (configuration: Configuration, secrets: [SecretPlace]) {
        var parser = ConfigurationParser(
            fileName: fileName, log: ProblemLog(file: fileName), environment: environment)
        let configuration = try parser.parse(text)
        return (configuration, parser.log.secretPlaces)
    }
}

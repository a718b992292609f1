import Glibc
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
        let file: SmallFile
        do {
            file = try SmallFile(path: FilePath(path), maximumSize: YAMLText.maximumSize, waits: true)
        } catch {
            let problem = ConfigurationProblem(file: path, line: nil, keyPath: "", message: error.message)
            throw ConfigurationError(problems: [problem])
        }
        if let environment { return try parse(file.text, fileName: path, environment: environment) }
        return try parse(file.text, fileName: path) { name in getenv(name).map { String(cString: $0) } }
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
        try parse(text, fileName: fileName) { environment[$0] }
    }

    private static func parse(
        _ text: String, fileName: String, environment: @escaping (String) -> String?
    ) throws(ConfigurationError) -> Configuration {
        var parser = ConfigurationParser(
            fileName: fileName, log: ProblemLog(file: fileName), environment: environment)
        return try parser.parse(text)
    }
}

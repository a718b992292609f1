import ArgumentParser
import Failover
import Glibc

/// `--config FILE`, which every subcommand takes.
struct ConfigurationOption: ParsableArguments {
    @Option(
        name: .shortAndLong, help: ArgumentHelp("The configuration file (YAML).", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var config = Self.usual

    /// Where Debian's package and the image have it.
    static let usual = "/etc/failover/failover.yaml"

    /// Reads the file.
    ///
    /// - Throws: `ExitCode` 78 after every problem was printed to standard error, a line each.
    func load() throws -> Configuration { try loadNotingSecrets().configuration }

    /// The same, and where the file keeps its secrets.
    func loadNotingSecrets() throws -> (configuration: Configuration, secrets: [SecretPlace]) {
        do {
            return try Configuration.loadNotingSecrets(path: config)
        } catch {
            printError("\(error)")
            throw ExitCode(EX_CONFIG)
        }
    }
}

/// Prints a line to standard error.
func printError(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    write(STDERR_FILENO, bytes, bytes.count)
}

import ArgumentParser
import Failover
import FailoverAdmin
import FailoverCore
import Glibc

/// `--config FILE`, an option of every subcommand.
struct ConfigurationOption: ParsableArguments {
    @Option(
        name: .shortAndLong, help: ArgumentHelp("The configuration file (YAML).", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var config = Self.usual

    /// The path in the Debian package and in the image.
    static let usual = "/etc/failover/failover.yaml"

    /// Reads the file.
    ///
    /// - Throws: `ExitCode` 78 after printing every problem to standard error, one per line.
    func load() throws -> Configuration { try loadNotingSecrets().configuration }

    /// Like ``load()``, but also returns where the file keeps its secrets.
    func loadNotingSecrets() throws -> (configuration: Configuration, secrets: [SecretPlace]) {
        try reporting { try Configuration.loadNotingSecrets(path: config) }
    }

    /// Like ``load()``, but reads only the `admin` section. Passwords of servers need not be available.
    func loadAdmin() throws -> AdminConfiguration? {
        try reporting { try Configuration.loadAdmin(path: config) }
    }

    private func reporting<Content>(_ load: () throws -> Content) throws -> Content {
        do {
            return try load()
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

/// How the commands that observe or control a running `failover` find it.
struct AdminOptions: ParsableArguments {
    @OptionGroup var file: ConfigurationOption

    /// A client for the first Unix socket of the `admin` section, or for its first address if there is no Unix
    /// socket.
    ///
    /// - Throws: `ExitCode` 78 if there is no such section.
    func client() throws -> AdminClient {
        guard let admin = try file.loadAdmin(), let first = admin.listen.first else {
            printError("\(file.config) has no `admin` section, so the running failover cannot be reached")
            throw ExitCode(78)
        }
        let unix = admin.listen.first { if case .unix = $0 { true } else { false } }
        return AdminClient(endpoint: (unix ?? first).reachable, token: admin.token)
    }

    /// Runs a request. A failure is printed as one line on standard error, with exit status 1.
    func ask<Answer>(_ body: (AdminClient) throws(OperationError) -> Answer) throws -> Answer {
        let client = try client()
        do throws(OperationError) {
            return try body(client)
        } catch {
            printError(error.message)
            throw ExitCode(1)
        }
    }
}

extension CompletionKind {
    /// The names of the routes.
    static let routes = names { configuration in
        configuration.services.compactMap { service in
            if case .database = service.kind { service.name } else { nil }
        }
    }

    /// The names of the database aliases.
    static let aliases = names { $0.databases.map(\.name) }

    /// Names from the configuration file that `--config` of the same command line names; none if the file is not
    /// valid.
    static func names(_ names: @escaping @Sendable (Configuration) -> [String]) -> CompletionKind {
        .custom { line, _, _ in
            // `--config=FILE` is one word of the line.
            let words = line.flatMap { $0.split(separator: "=", maxSplits: 1).map(String.init) }
            guard let option = words.firstIndex(where: { ["--config", "-c"].contains($0) }),
                words.indices.contains(option + 1),
                let configuration = try? Configuration.load(path: words[option + 1])
            else { return [] }
            return names(configuration)
        }
    }
}

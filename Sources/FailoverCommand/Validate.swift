import ArgumentParser
import Failover
import FailoverConfiguration
import FailoverDoctor
import Glibc

/// `failover validate`
struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration file, and print every problem with its line and key.",
        discussion: "Combinations of keys that are valid but cause problems get a warning on standard error.")

    @OptionGroup var file: ConfigurationOption

    @Flag(help: "Print the effective configuration: every key with its value, secrets hidden.")
    var print = false

    func run() throws {
        let configuration = try file.load()
        try checkFiles(of: configuration)
        Swift.print(
            print ? configuration.rendered() : "\(file.config) is valid",
            terminator: print ? "" : "\n")
        for finding in ConfigurationDiagnosis(configuration).findings {
            printError("warning: \(finding.subject): \(finding.reason); remedy: \(finding.remedy)")
        }
        for note in ConfigurationDiagnosis(configuration).notes { printError("hint: \(note.subject): \(note.text)") }
    }

    /// Reads certificates and keys as `failover serve` does.
    ///
    /// - Throws: `ExitCode` 78 after printing every problem to standard error, one per line.
    private func checkFiles(of configuration: Configuration) throws {
        let problems = try configuration.tlsProblems
        for problem in problems { printError("\(file.config): \(problem.keyPath): \(problem.message)") }
        if !problems.isEmpty { throw ExitCode(EX_CONFIG) }
    }
}

/// `failover reference`, which writes `config/reference.yaml` and `docs/configuration.md`.
struct Reference: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print every key of the configuration file, with its type, default and meaning.", shouldDisplay: false
    )

    @Flag(help: "Print a chapter of Markdown in place of a configuration file.")
    var markdown = false

    func run() {
        print(markdown ? ConfigurationReference.markdown : ConfigurationReference.yaml, terminator: "")
    }
}

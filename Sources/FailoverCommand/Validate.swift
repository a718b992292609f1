import ArgumentParser
import Failover

/// `failover validate`
struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration file; every problem is printed, with its line and key.",
        discussion: "Combinations of keys that are allowed and will bite get a warning on standard error.")

    @OptionGroup var file: ConfigurationOption

    @Flag(help: "Print the effective configuration: every key with its value, secrets hidden.")
    var print = false

    func run() throws {
        let configuration = try file.load()
        Swift.print(
            print ? configuration.rendered() : "\(file.config) is valid",
            terminator: print ? "" : "\n")
        for finding in ConfigurationDiagnosis(configuration).findings {
            printError("warning: \(finding.subject): \(finding.reason); what helps: \(finding.remedy)")
        }
    }
}

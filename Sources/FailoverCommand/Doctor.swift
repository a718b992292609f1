import ArgumentParser
import Failover

/// `failover doctor`
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Log in everywhere and tell what will bite, and what mends it.",
        discussion: """
            Looks at logins, privileges, replication, versions, time zones, clocks, limits, certificates, names and files. \
            Nothing is changed. Exit status 0 when there is no finding, 1 when there is one; hints alone are none.
            """)

    @OptionGroup var file: ConfigurationOption

    @Flag(help: "Print JSON: the findings, each with an id that stays, and what could not be looked at.")
    var json = false

    func run() async throws {
        let (configuration, secrets) = try file.loadNotingSecrets()
        let diagnosis = await Checkup(configuration, path: file.config, secrets: secrets).diagnosis()
        let report = DoctorReport(diagnosis, of: configuration)
        print(json ? try report.json() : report.text(colour: Terminal.wantsColour))
        if diagnosis.hasProblems { throw ExitCode(1) }
    }
}

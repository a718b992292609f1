import ArgumentParser
import Failover
import FailoverDoctor

/// `failover doctor`
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Log in to every server, and report problems and their remedies.",
        discussion: """
            Checks logins, privileges, replication, versions, time zones, clocks, limits, certificates, names and \
            files. It changes nothing. Exit status: 0 if there are no findings, 1 if there are. Hints do not count.
            """)

    @OptionGroup var file: ConfigurationOption

    @Flag(help: "Print JSON: the findings, each with a stable id, and what could not be examined.")
    var json = false

    func run() async throws {
        let (configuration, secrets) = try file.loadNotingSecrets()
        let others = configuration.pingTargets.filter { configuration.database(named: $0.name) == nil }.map { target in
            OtherService(name: target.name) { await target.ping(limit: $0).failure }
        }
        let diagnosis = await DoctorRun(configuration, path: file.config, secrets: secrets, others: others).diagnosis()
        let report = DoctorReport(diagnosis, of: configuration)
        print(json ? try report.json() : report.text(colour: Terminal.wantsColour))
        if diagnosis.hasProblems { throw ExitCode(1) }
    }
}

import ArgumentParser
import Failover
import FailoverCore

/// `failover ping`
struct Ping: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ping services once, now, and report their answers.",
        discussion: "Exit status: 0 if all are up, 1 if something is down.")

    @OptionGroup var file: ConfigurationOption

    @Argument(
        help: ArgumentHelp("Aliases, services or routes; by default all of them.", valueName: "name"),
        completion: .names { $0.databases.map(\.name) + $0.services.map(\.name) })
    var names: [String] = []

    @Flag(help: "Print JSON: an array with an object for each.")
    var json = false

    func run() async throws {
        let configuration = try file.load()
        let report = PingReport(answers: await Self.ping(try targets(of: configuration)))
        print(json ? try report.json() : report.table(colour: Terminal.wantsColour))
        if !report.isAllUp { throw ExitCode(1) }
    }

    private func targets(of configuration: Configuration) throws -> [PingTarget] {
        let all = configuration.pingTargets
        guard !names.isEmpty else { return all }
        return try names.flatMap { name in
            let wanted = configuration.pingTargetNames(for: name)
            guard !wanted.isEmpty else {
                throw ValidationError("'\(name)' is neither a database alias nor a service of \(file.config)")
            }
            return all.filter { wanted.contains($0.name) }
        }
    }

    /// Pings all targets in parallel. Returns the answers in the order of the targets.
    private static func ping(_ targets: [PingTarget]) async -> [PingReport.Answer] {
        await withTaskGroup { group in
            for (index, target) in targets.enumerated() {
                group.addTask { (index, await target.ping()) }
            }
            var results: [Int: PingResult] = [:]
            for await (index, result) in group { results[index] = result }
            return targets.enumerated().compactMap { index, target in results[index].map { (target, $0) } }
        }
    }
}

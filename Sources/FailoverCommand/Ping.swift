import ArgumentParser
import Failover
import FailoverCore

/// `failover ping`
struct Ping: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ping services once, now, and tell what they answered.",
        discussion: "Exit status 0 when all are up, 1 when something is down.")

    @OptionGroup var file: ConfigurationOption

    @Argument(help: "Aliases, services or routes; all of them unless given.")
    var names: [String] = []

    func run() async throws {
        let configuration = try file.load()
        let targets = try targets(of: configuration)
        let width = targets.map(\.name.count).max() ?? 0
        var isAllUp = true
        for (target, result) in await Self.ping(targets) {
            isAllUp = isAllUp && result.succeeded
            print(Self.line(target, result, width: width))
        }
        if !isAllUp { throw ExitCode(1) }
    }

    private func targets(of configuration: Configuration) throws -> [PingTarget] {
        let all = configuration.pingTargets
        guard !names.isEmpty else { return all }
        return try names.flatMap { name in
            let wanted = configuration.pingTargetNames(for: name)
            guard !wanted.isEmpty else {
                throw ValidationError("'\(name)' is no database alias and no service of \(file.config)")
            }
            return all.filter { wanted.contains($0.name) }
        }
    }

    /// Pings all at once; answers in the order of the targets.
    private static func ping(_ targets: [PingTarget]) async -> [(PingTarget, PingResult)] {
        await withTaskGroup { group in
            for (index, target) in targets.enumerated() {
                group.addTask { (index, await target.ping()) }
            }
            var results: [Int: PingResult] = [:]
            for await (index, result) in group { results[index] = result }
            return targets.enumerated().compactMap { index, target in results[index].map { (target, $0) } }
        }
    }

    private static func line(_ target: PingTarget, _ result: PingResult, width: Int) -> String {
        let name = target.name + String(repeating: " ", count: width - target.name.count)
        let start = "\(name)  \(result.succeeded ? "up  " : "down")  \(result.duration.inWords)"
        guard let failure = result.failure else { return "\(start)  \(target.location)" }
        return "\(start)  \(failure.reason): \(failure.detail)"
    }
}

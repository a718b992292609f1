import ArgumentParser
import Failover

/// `failover notify-test`
struct NotifyTest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notify-test",
        abstract: "Send an event that is marked as a test to each notifier, and report the results.",
        discussion: "Exit status: 0 if every notifier accepted the event, 1 if one did not or there are none.")

    @OptionGroup var file: ConfigurationOption

    func run() async throws {
        let trials = try file.load().notifierTrials
        guard !trials.isEmpty else {
            printError("\(file.config) has no notifiers")
            throw ExitCode(1)
        }
        let width = trials.map(\.name.count).max() ?? 0
        var isAllWell = true
        for trial in trials {
            let failure = await trial.run()
            isAllWell = isAllWell && failure == nil
            let name = trial.name + String(repeating: " ", count: width - trial.name.count)
            print("\(name)  \(failure.map { "failed  \($0)" } ?? "sent")")
        }
        if !isAllWell { throw ExitCode(1) }
    }
}

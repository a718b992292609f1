import FailoverChecks
public import FailoverCore
import FailoverSystem

/// A service that commands of the operator's ping, fail over and recover.
///
/// Each command finds `FAILOVER_SERVICE`, `FAILOVER_EVENT` (`ping`, `outage`, `recovery`) and, on an outage,
/// `FAILOVER_REASON` in its environment. It is killed with its process group at the ping's limit.
public struct CommandService: TimedService {
    public let name: String
    public let settings: MonitorSettings
    private let commands: ServiceCommands
    private let environment: [String: String]
    private let threads: BlockingThreads

    /// - Parameters:
    ///   - environment: variables for the commands, beside those of this process.
    ///   - settings: 10 s for a command in both states unless given.
    public init(
        name: String, commands: ServiceCommands, environment: [String: String] = [:],
        settings: MonitorSettings = MonitorSettings(outagePingTimeout: .seconds(10))
    ) {
        self.init(name: name, commands: commands, environment: environment, settings: settings, checks: .shared)
    }

    init(
        name: String, commands: ServiceCommands, environment: [String: String], settings: MonitorSettings,
        checks: CheckFactory
    ) {
        self.name = name
        self.settings = settings
        self.commands = commands
        self.environment = environment
        threads = checks.threads
    }

    public func ping(limit: Duration) async throws {
        try await run(commands.ping, event: "ping", limit: limit)
    }

    public func failover(because failure: PingFailure) async throws {
        guard let command = commands.failover else { return }
        try await run(command, event: "outage", reason: failure.description, limit: settings.pingTimeout)
    }

    public func recover() async throws {
        guard let command = commands.recover else { return }
        try await run(command, event: "recovery", limit: settings.pingTimeout)
    }

    private func run(_ words: [String], event: String, reason: String? = nil, limit: Duration) async throws {
        var variables = environment
        variables["FAILOVER_SERVICE"] = name
        variables["FAILOVER_EVENT"] = event
        variables["FAILOVER_REASON"] = reason
        let command = Command(words, environment: variables)
        try await CommandCheck(command: command, threads: threads).ping(limit: limit)
    }
}

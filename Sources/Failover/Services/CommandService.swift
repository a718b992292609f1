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
    private let ping: CommandCheck
    private let failover: CommandCheck?
    private let recover: CommandCheck?

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
        func check(_ words: [String], event: String) -> CommandCheck {
            var variables = environment
            variables["FAILOVER_SERVICE"] = name
            variables["FAILOVER_EVENT"] = event
            return CommandCheck(command: Command(words, environment: variables), threads: checks.threads)
        }
        ping = check(commands.ping, event: "ping")
        failover = commands.failover.map { check($0, event: "outage") }
        recover = commands.recover.map { check($0, event: "recovery") }
    }

    public func ping(limit: Duration) async throws { try await ping.run(limit: limit) }

    public func failover(because failure: PingFailure) async throws {
        try await failover?.run(adding: ["FAILOVER_REASON": failure.description], limit: settings.pingTimeout)
    }

    public func recover() async throws { try await recover?.run(limit: settings.pingTimeout) }
}

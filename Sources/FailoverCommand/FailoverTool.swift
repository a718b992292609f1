import ArgumentParser
import Failover
import FailoverSystem

/// The executable `failover`.
@main
struct FailoverTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover",
        abstract: "A TCP proxy that applications use in place of their database read replica.",
        discussion: "Exit status: 0 done, 1 something is down or failed, 64 usage error, 78 configuration error.",
        version: failoverVersion,
        subcommands: [
            Serve.self, Validate.self, Ping.self, Doctor.self, NotifyTest.self, Status.self, Events.self, Switch.self,
            Release.self, Drain.self, Undrain.self, Drill.self, Reload.self, Reference.self,
        ])

    static func main() async {
        // Must run before other threads exist.
        Environment.forgetClients()
        await main(nil)
    }
}

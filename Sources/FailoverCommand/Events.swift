import ArgumentParser
import FailoverAdmin
import FailoverCore
import Glibc

/// `failover events`
struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show outages, recoveries, and what operators did.",
        discussion: """
            Asks the running failover that the configuration's `admin` section describes. The oldest event comes first.
            """)

    @OptionGroup var admin: AdminOptions

    @Option(help: ArgumentHelp("The number of events, from 1 to 1000.", valueName: "number"))
    var limit = 100

    @Flag(help: "Keep running and print new events as they happen, until interrupted.")
    var follow = false

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit takes a number from 1 to 1000") }
    }

    func run() throws {
        for event in try admin.ask({ client throws(OperationError) in try client.events(limit) }).reversed() {
            print(Self.line(event))
        }
        guard follow else { return }
        fflush(nil)
        try admin.ask { client throws(OperationError) in
            try client.follow { news in
                guard case .event(let event) = news else { return true }
                print(Self.line(event))
                return fflush(nil) == 0
            }
        }
    }

    private static func line(_ event: AdminEvent) -> String {
        let message = [event.reason, event.detail].compactMap(\.self).joined(separator: ": ")
        let why = message.isEmpty ? "" : " \(message)"
        return "\(event.time) \(event.kind.rawValue.uppercased()) \(event.message)\(why)"
    }
}

import ArgumentParser
import FailoverAdmin
import Glibc

/// `failover events`
struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What has happened: outages, recoveries, and what operators did.",
        discussion: "Asks the running failover that the configuration's `admin` section describes. Oldest first.")

    @OptionGroup var admin: AdminOptions

    @Option(help: ArgumentHelp("How many, from 1 to 1000.", valueName: "number"))
    var limit = 100

    @Flag(help: "Then go on with each new one, until interrupted.")
    var follow = false

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit takes a number from 1 to 1000") }
    }

    func run() throws {
        for event in try admin.ask({ client throws(AdminClientError) in try client.events(limit) }).reversed() {
            print(Self.line(event))
        }
        guard follow else { return }
        fflush(nil)
        try admin.ask { client throws(AdminClientError) in
            try client.follow { name, data in
                guard name == "event", let event = AdminClient.decode(AdminEvent.self, data) else { return true }
                print(Self.line(event))
                return fflush(nil) == 0
            }
        }
    }

    private static func line(_ event: AdminEvent) -> String {
        let words = [event.reason, event.detail].compactMap(\.self).joined(separator: ": ")
        let why = words.isEmpty ? "" : " \(words)"
        return "\(event.time) \(event.kind.rawValue.uppercased()) \(event.message)\(why)"
    }
}

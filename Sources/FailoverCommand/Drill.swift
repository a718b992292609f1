import ArgumentParser
import Failover
import FailoverAdmin
import FailoverCore
import Glibc

/// `failover drill`
struct Drill: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Rehearse an outage on a running route, and report what clients saw.",
        discussion: """
            The running failover treats an alias as down for a time: its sessions are closed as in an outage, new ones \
            go to the next alias, and all come back as in a recovery. No notifications are sent, and the server itself \
            is not touched. The drill ends by itself, even if this command is killed. An interrupt (SIGINT, SIGTERM, \
            SIGHUP) ends it at once. Exit status: 0 if no client was refused and all sessions came back, 1 otherwise.
            """)

    @OptionGroup var admin: AdminOptions
    @Argument(help: "A route.", completion: .routes) var route: String

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long the drill lasts, from 1s to 1h.", valueName: "duration"))
    var duration = DurationArgument(.seconds(30))

    @Option(
        help: ArgumentHelp("One of the route's aliases; by default the first of its db_alias.", valueName: "name"),
        completion: .aliases)
    var alias: String?

    @Option(help: ArgumentHelp("Time limit for the return of the sessions.", valueName: "duration"))
    var patience = DurationArgument(.seconds(60))

    @Flag(help: "Start the drill even if no other alias can serve. Clients are then refused.")
    var force = false

    @Flag(name: .customLong("no-probe"), help: "Do not log in through the route ten times a second.")
    var noProbe = false

    @Flag(help: "End a drill that is running on the route, and do nothing else.")
    var end = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard duration.duration <= .seconds(3600) else { throw ValidationError("--for takes 1s to 1h") }
    }

    func run() async throws {
        if end { return try admin.act("api/v1/routes/\(pathPart(route))/end-drill") }
        // If the reader of the output exits, the drill must still be ended.
        signal(SIGPIPE, SIG_IGN)
        let rehearsal = DrillRun(
            client: DrillClient(try admin.client(), route: route), configuration: try admin.file.load(),
            request: DrillRun.Request(
                alias: alias, duration: .seconds(duration.duration.components.seconds),
                returnTimeout: patience.duration,
                isForced: force,
                probes: !noProbe))
        let outcome: DrillOutcome
        do throws(OperationError) {
            outcome = try await rehearsal.run { if !json { Self.say($0) } }
        } catch {
            printError(error.message)
            throw ExitCode(1)
        }
        let report = DrillReport(outcome)
        print(json ? try report.json() : report.text(colour: Terminal.wantsColour))
        if !outcome.hasPassed { throw ExitCode(1) }
    }

    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}

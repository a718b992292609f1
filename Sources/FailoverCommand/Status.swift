import ArgumentParser
import FailoverAdmin
import FailoverCore
import Glibc

/// `failover status`
struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is up, what is down, since when and why, and where sessions are.",
        discussion: """
            Asks the running failover that the configuration's `admin` section describes. Exit status: 0, or 1 if it \
            does not answer or, with --ready, is not ready.
            """)

    @OptionGroup var admin: AdminOptions

    @Flag(help: "Print the API's JSON.")
    var json = false

    @Flag(help: "Show the status live, until interrupted.")
    var watch = false

    @Flag(help: "Print only whether it is ready, for health checks.")
    var ready = false

    func validate() throws {
        guard [json, watch, ready].count(where: { $0 }) <= 1 else {
            throw ValidationError("--json, --watch and --ready exclude each other")
        }
    }

    func run() throws {
        if ready {
            print(try page("readyz"), terminator: "")
        } else if json {
            print(try page("api/v1/status"))
        } else if watch {
            try watchLive()
        } else {
            let status = try admin.ask { client throws(OperationError) in try client.status() }
            print(StatusReport(status).text(colour: Terminal.wantsColour))
        }
    }

    private func page(_ path: String) throws -> String {
        String(decoding: try admin.ask { client throws(OperationError) in try client.get(path) }, as: UTF8.self)
    }

    private func watchLive() throws {
        let colour = Terminal.wantsColour
        let isTerminal = isatty(STDOUT_FILENO) == 1
        try admin.ask { client throws(OperationError) in
            try client.follow { news in
                guard case .status(let status) = news else { return true }
                // Moves the cursor home, clears each line to its end and then the rest of the screen. This avoids
                // flicker.
                let text = StatusReport(status).text(colour: colour)
                let screen =
                    isTerminal
                    ? "\u{1b}[H" + text.replacing("\n", with: "\u{1b}[K\n") + "\u{1b}[K\n\u{1b}[J" : text + "\n\n"
                print(screen, terminator: "")
                return fflush(nil) == 0
            }
        }
    }
}

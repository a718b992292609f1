import ArgumentParser
import Failover
import FailoverAdmin
import FailoverCore

/// `failover switch`
struct Switch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send a route's new sessions to an alias, for a time or until the route is released.",
        discussion: """
            Open sessions move as in a recovery. If the alias goes down, the others serve in their usual order.
            """)

    @OptionGroup var admin: AdminOptions
    @Argument(help: "A route.", completion: .routes) var route: String
    @Argument(help: "One of its aliases.", completion: .aliases) var alias: String

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long, for example 90s, 15m or 2h; by default until released.", valueName: "duration"))
    var duration: DurationArgument?

    func run() throws {
        let seconds = duration.map { Int($0.duration.components.seconds) }
        try admin.act("api/v1/routes/\(pathPart(route))/switch", SwitchRequest(alias: alias, forSeconds: seconds))
    }

    private struct SwitchRequest: Encodable {
        let alias: String
        let forSeconds: Int?
    }
}

/// `failover release`
struct Release: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "End a switch: the route uses its preferred alias again.")

    @OptionGroup var admin: AdminOptions
    @Argument(help: "A route.", completion: .routes) var route: String

    func run() throws { try admin.act("api/v1/routes/\(pathPart(route))/release") }
}

/// `failover drain`
struct Drain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take an alias out of service: it gets no new sessions, and its open sessions move where it is safe.")

    @OptionGroup var admin: AdminOptions
    @Argument(help: "A database alias.", completion: .aliases) var alias: String

    func run() throws { try admin.act("api/v1/aliases/\(pathPart(alias))/drain") }
}

/// `failover undrain`
struct Undrain: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Put a drained alias back into service.")

    @OptionGroup var admin: AdminOptions
    @Argument(help: "A database alias.", completion: .aliases) var alias: String

    func run() throws { try admin.act("api/v1/aliases/\(pathPart(alias))/undrain") }
}

/// `failover reload`
struct Reload: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Reload the configuration: all of it takes effect, or none of it.",
        discussion: """
            The running failover reads the file that it was started with. Sessions stay open, and services \
            keep their state. Sessions of a removed alias move to other aliases where it is safe.
            """)

    @OptionGroup var admin: AdminOptions

    func run() throws { try admin.act("api/v1/reload") }
}

/// A duration in the configuration's format.
struct DurationArgument: ExpressibleByArgument {
    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        guard let duration = Duration.written(argument), duration >= .seconds(1) else { return nil }
        self.duration = duration
    }

    var defaultValueDescription: String { duration.inWords }
}

extension AdminOptions {
    /// Requests an action, and prints the answer.
    func act(_ path: String, _ body: some Encodable = [String: String]()) throws {
        print(try ask { client throws(OperationError) in try client.act(path, body) })
    }
}

/// A name as a part of a URL's path: RFC 3986 §2.1.
func pathPart(_ name: String) -> String {
    name.utf8.map { byte in
        let character = Character(Unicode.Scalar(byte))
        if byte < 128, character.isLetter || character.isNumber || "-._~".contains(character) {
            return String(character)
        }
        let digits = String(byte, radix: 16, uppercase: true)
        return "%" + (digits.count == 1 ? "0" : "") + digits
    }.joined()
}

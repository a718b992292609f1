import FailoverCore
import FailoverSystem
import FailoverTLS
import FoundationEssentials

/// The state that a process hands over to its successor, in addition to the listening sockets.
///
/// The two processes may have different versions. The names of the properties are the format, so they must not change.
/// New properties must be optional. An older process ignores properties that it does not know.
struct HandoverState: Codable, Sendable {
    /// A listener of the proxy. The sockets are sent in the order of these.
    struct Listener: Codable, Sendable {
        let route: String
        /// Whether the system chose the port.
        let hasChosenPort: Bool
    }

    /// A route that an operator switched to an alias.
    struct Pin: Codable, Sendable {
        let route: String
        let alias: String
        /// The end in seconds since 1970; `nil` if the pin lasts until it is released.
        let until: Double?

        /// The remaining time of the pin; `nil` if it lasts until it is released.
        func rest(at now: WallTime) -> Duration? { until.map { Duration(foreignSeconds: $0) - now.sinceEpoch } }

        func isOver(at now: WallTime) -> Bool { rest(at: now).map { $0 <= .zero } ?? false }
    }

    /// A service that is down, or whose server refuses the monitor. The beginning of this has been reported; the end
    /// has not.
    struct Outage: Codable, Sendable {
        let service: String
        /// The beginning in seconds since 1970.
        let since: Double
        let failure: HandoverFailure

        init(service: String, since: WallTime, failure: PingFailure) {
            self.service = service
            self.since = since.sinceEpoch / .seconds(1)
            self.failure = HandoverFailure(failure)
        }

        var begin: WallTime { WallTime(sinceEpoch: Duration(foreignSeconds: since)) }
    }

    /// Why a replica is stale.
    struct Lag: Codable, Sendable {
        let secondsBehind: Double?
        let bytesBehind: UInt64?
        let stopped: String?

        init(_ staleness: Staleness) {
            secondsBehind = staleness.behind.map { $0 / .seconds(1) }
            bytesBehind = staleness.bytesBehind
            stopped = staleness.stopped
        }

        var staleness: Staleness {
            Staleness(
                behind: secondsBehind.map { Duration(foreignSeconds: $0) }, bytesBehind: bytesBehind, stopped: stopped)
        }
    }

    /// The facts that are known about a database alias.
    struct Alias: Codable, Sendable {
        let name: String
        /// The possible servers of the alias. The facts apply only to an alias with the same servers.
        let servers: [String]
        /// Which of several servers the alias is; `nil` if that is unknown or there is only one.
        let server: String?
        /// The bytes of each `sockaddr`. The next process needs them if its name look-ups fail.
        let addresses: [Data]
        /// Whether the server had the wrong role, or no longer followed its primary.
        let mustNotServe: Bool
        let lag: Lag?

        /// Takes the facts that are not in the configuration; `nil` if there are none.
        init?(_ state: AliasState) {
            let isLiteral = state.addresses.map(\.description) == [state.endpoint.description]
            let hasPlace = !state.addresses.isEmpty && !isLiteral
            guard hasPlace || state.server != nil || state.mustNotServe || state.staleness != nil else { return nil }
            name = state.name
            servers = state.servers.map(\.description)
            server = state.server?.description
            addresses = state.addresses.map { Data($0.bytes) }
            mustNotServe = state.mustNotServe
            lag = state.staleness.map(Lag.init)
        }

        /// Whether the alias has the same name and the same possible servers.
        func isOf(_ state: AliasState) -> Bool { state.name == name && state.servers.map(\.description) == servers }

        var places: [SocketAddress] { addresses.map { SocketAddress(kernelBytes: Array($0)) }.filter(\.isWhole) }
    }

    /// A key of session tickets. It must not be logged.
    struct Ticket: Codable, Sendable, CustomStringConvertible, CustomReflectable {
        private let key: Data

        init(_ key: TicketKeys.Key) { self.key = Data(key.bytes) }

        init(from decoder: any Decoder) throws { key = try decoder.singleValueContainer().decode(Data.self) }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(key)
        }

        /// The key; `nil` if it is not one that this version can use.
        var ticketKey: TicketKeys.Key? { TicketKeys.Key(bytes: Array(key)) }

        var description: String { "(hidden)" }
        var customMirror: Mirror { Mirror(self, children: []) }
    }

    /// The version of this format; `nil` in a message of 0.1.0.
    let version: Int?
    let listeners: [Listener]
    let pins: [Pin]
    /// The aliases that an operator took out of service.
    let drained: [String]
    let outages: [Outage]
    /// The services that are up and whose servers refuse the monitor; `nil` in a message of 0.1.0, which had no such
    /// state.
    let degraded: [Outage]?
    /// The aliases with known facts; `nil` in a message of 0.1.0.
    let aliases: [Alias]?
    /// The keys of session tickets, the newest first; `nil` from a process that ends no TLS.
    let ticketKeys: [Ticket]?

    /// The version that this program writes.
    static let version = 2

    init(
        listeners: [Listener], pins: [Pin], drained: [String], outages: [Outage], degraded: [Outage]?,
        aliases: [Alias]?, ticketKeys: [Ticket]? = nil
    ) {
        version = Self.version
        self.listeners = listeners
        self.pins = pins
        self.drained = drained
        self.outages = outages
        self.degraded = degraded
        self.aliases = aliases
        self.ticketKeys = ticketKeys
    }

    /// The valid ones of ``ticketKeys``.
    var tickets: [TicketKeys.Key] { (ticketKeys ?? []).compactMap(\.ticketKey) }
}

extension AliasState {
    /// The possible servers of the alias.
    fileprivate var servers: [Endpoint] { [endpoint] + alternatives }
}

extension HandoverState {
    /// The encoded state. If it is larger than the limit, it leaves out the parts that the next process can find out
    /// itself.
    func bytes(atMost limit: Int) throws -> [UInt8] {
        let all = Array(try JSONEncoder().encode(self))
        guard all.count > limit else { return all }
        let less = HandoverState(
            listeners: listeners, pins: pins, drained: drained, outages: outages, degraded: nil, aliases: nil,
            ticketKeys: ticketKeys)
        return Array(try JSONEncoder().encode(less))
    }

    /// Reads the state that another process has written; `nil` if the bytes are not valid.
    init?(bytes: [UInt8]) {
        guard let offer = try? JSONDecoder().decode(HandoverState.self, from: Data(bytes)) else { return nil }
        self = offer
    }
}

/// The messages of the two processes.
enum TakeoverWord {
    /// From the new process: a request to take over.
    static let ask = Array("failover takeover 1".utf8)
    /// From the new process: it serves now.
    static let done = Array("done".utf8)
    /// From the former process: it has closed the sockets that only one process can have open.
    static let released = Array("released".utf8)
}

extension OperationError {
    /// The error of a failed takeover.
    static func takeover(_ message: String) -> OperationError { OperationError(.takeover, "takeover: \(message)") }
}

import FailoverCore
import FailoverSystem
import FoundationEssentials

/// The state that a process hands over to its successor, in addition to the listening sockets.
///
/// The two processes may have different versions. The names of the properties are the format: they stay, and
/// additions are optional. An older successor of a newer process ignores what it does not know.
struct HandoverState: Codable, Sendable {
    /// A listener of the proxy. The sockets are sent in the same order.
    struct Listener: Codable, Sendable {
        let route: String
        /// Whether the system chose the port.
        let hasChosenPort: Bool
    }

    /// A route that an operator switched to an alias.
    struct Pin: Codable, Sendable {
        let route: String
        let alias: String
        /// In seconds since 1970; `nil` until it is released.
        let until: Double?

        /// The remaining time of the pin; `nil` until it is released.
        func rest(at now: WallTime) -> Duration? { until.map { Duration(foreignSeconds: $0) - now.sinceEpoch } }

        func isOver(at now: WallTime) -> Bool { rest(at: now).map { $0 <= .zero } ?? false }
    }

    /// A service that is down, or that refuses the monitor. Its beginning has been reported, and its end has not.
    struct Outage: Codable, Sendable {
        let service: String
        /// In seconds since 1970.
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

    /// What is known about a database alias.
    struct Alias: Codable, Sendable {
        let name: String
        /// The servers that the alias may be. The facts apply only to these.
        let servers: [String]
        /// Which of several servers it is.
        let server: String?
        /// The bytes of each `sockaddr`. The next process needs them if its name look-ups fail.
        let addresses: [Data]
        /// It had the wrong role, or no longer followed its primary.
        let mustNotServe: Bool
        let lag: Lag?

        /// The facts that the configuration alone does not contain; `nil` if there are none.
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

        /// Whether the alias has the same server or servers.
        func isOf(_ state: AliasState) -> Bool { state.name == name && state.servers.map(\.description) == servers }

        var places: [SocketAddress] { addresses.map { SocketAddress(kernelBytes: Array($0)) }.filter(\.isWhole) }
    }

    /// The version of this format; `nil` from 0.1.0.
    let version: Int?
    let listeners: [Listener]
    let pins: [Pin]
    /// The aliases that an operator took out of service.
    let drained: [String]
    let outages: [Outage]
    /// The services that are up and refuse the monitor; `nil` from 0.1.0, which had no such state.
    let degraded: [Outage]?
    /// The aliases with known facts; `nil` from 0.1.0.
    let aliases: [Alias]?

    /// The version that this program writes.
    static let version = 2

    init(
        listeners: [Listener], pins: [Pin], drained: [String], outages: [Outage], degraded: [Outage]?, aliases: [Alias]?
    ) {
        version = Self.version
        self.listeners = listeners
        self.pins = pins
        self.drained = drained
        self.outages = outages
        self.degraded = degraded
        self.aliases = aliases
    }
}

extension AliasState {
    /// The servers that the alias may be.
    fileprivate var servers: [Endpoint] { [endpoint] + alternatives }
}

extension HandoverState {
    /// The encoded state. If the message is too small, it omits first what the next process finds out itself.
    func bytes(atMost limit: Int) throws -> [UInt8] {
        let all = Array(try JSONEncoder().encode(self))
        guard all.count > limit else { return all }
        let less = HandoverState(
            listeners: listeners, pins: pins, drained: drained, outages: outages, degraded: nil, aliases: nil)
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
    /// From the former process: it has closed what the new process could not open beside it.
    static let released = Array("released".utf8)
}

extension OperationError {
    /// The error of a failed takeover.
    static func takeover(_ message: String) -> OperationError { OperationError(.takeover, "takeover: \(message)") }
}

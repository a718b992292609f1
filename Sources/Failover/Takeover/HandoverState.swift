import FailoverCore
import FailoverSystem
import FoundationEssentials

/// What a process hands to the one that takes its place, beside the listening sockets.
///
/// The two may be of different versions. Names of properties here are what travels; they stay, and what is added is
/// optional. An older process that takes the place of a newer one skips what it does not know.
struct HandoverState: Codable, Sendable {
    /// A listener of the proxy; the sockets come in the same order.
    struct Listener: Codable, Sendable {
        let route: String
        /// Whether the system chose its port.
        let hasChosenPort: Bool
    }

    /// A route that an operator switched to an alias.
    struct Pin: Codable, Sendable {
        let route: String
        let alias: String
        /// In seconds since 1970; `nil` until it is released.
        let until: Double?

        /// How long it lasts still; `nil` until it is released.
        func rest(at now: WallTime) -> Duration? { until.map { Duration(foreignSeconds: $0) - now.sinceEpoch } }

        func isOver(at now: WallTime) -> Bool { rest(at: now).map { $0 <= .zero } ?? false }
    }

    /// A service that is down, or refuses the monitor: its begin has been told, its end has not.
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

    /// Why a replica is not to serve.
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

    /// What is known of a database alias.
    struct Alias: Codable, Sendable {
        let name: String
        /// The servers that it may be; what is known is true of no others.
        let servers: [String]
        /// Which of several it is.
        let server: String?
        /// The bytes of each `sockaddr`. The next process needs them while it can look no name up.
        let addresses: [Data]
        /// It was found in the wrong role, or no longer following its primary.
        let mustNotServe: Bool
        let lag: Lag?

        /// What can't be known by the configuration alone; `nil` if there is nothing.
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

        /// Whether it is the same server, or the same several.
        func isOf(_ state: AliasState) -> Bool { state.name == name && state.servers.map(\.description) == servers }

        var places: [SocketAddress] { addresses.map { SocketAddress(kernelBytes: Array($0)) }.filter(\.isWhole) }
    }

    /// The version of these names; `nil` from 0.1.0.
    let version: Int?
    let listeners: [Listener]
    let pins: [Pin]
    /// Aliases that an operator took out of service.
    let drained: [String]
    let outages: [Outage]
    /// Services that are up and refuse the monitor; `nil` from 0.1.0, which did not know such.
    let degraded: [Outage]?
    /// Those of which there is anything to know; `nil` from 0.1.0.
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
    /// Those that it may be.
    fileprivate var servers: [Endpoint] { [endpoint] + alternatives }
}

extension HandoverState {
    /// As it is sent. What a message has no room for is left out: first what the next process finds out itself.
    func bytes(atMost limit: Int) throws -> [UInt8] {
        let all = Array(try JSONEncoder().encode(self))
        guard all.count > limit else { return all }
        let less = HandoverState(
            listeners: listeners, pins: pins, drained: drained, outages: outages, degraded: nil, aliases: nil)
        return Array(try JSONEncoder().encode(less))
    }

    /// Reads what another process has written; `nil` if it is no offer.
    init?(bytes: [UInt8]) {
        guard let offer = try? JSONDecoder().decode(HandoverState.self, from: Data(bytes)) else { return nil }
        self = offer
    }
}

/// The words that the two processes say to each other.
enum TakeoverWord {
    /// The new one: give me your place.
    static let ask = Array("failover takeover 1".utf8)
    /// The new one: I serve now.
    static let done = Array("done".utf8)
    /// The old one: I have closed everything that you could not open beside me.
    static let released = Array("released".utf8)
}

/// A place could not be handed over.
struct TakeoverError: Error, Hashable, CustomStringConvertible {
    let words: String
    var description: String { "takeover: \(words)" }
}

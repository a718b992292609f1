import FailoverCore
import FailoverSystem
import FoundationEssentials

/// What a process hands to the one that takes its place, beside the listening sockets.
struct TakeoverOffer: Codable, Sendable {
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
        let failure: PingFailure

        var begin: WallTime { WallTime(sinceEpoch: Duration(foreignSeconds: since)) }
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
        let staleness: Staleness?

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
            staleness = state.staleness
        }

        /// Whether it is the same server, or the same several.
        func isOf(_ state: AliasState) -> Bool { state.name == name && state.servers.map(\.description) == servers }

        var places: [SocketAddress] { addresses.map { SocketAddress(kernelBytes: Array($0)) }.filter(\.isWhole) }
    }

    let listeners: [Listener]
    let pins: [Pin]
    /// Aliases that an operator took out of service.
    let drained: [String]
    let outages: [Outage]
    /// Services that are up and refuse the monitor; `nil` from 0.1.0, which did not know such.
    let degraded: [Outage]?
    /// Those of which there is anything to know; `nil` from 0.1.0.
    let aliases: [Alias]?
}

extension AliasState {
    /// Those that it may be.
    fileprivate var servers: [Endpoint] { [endpoint] + alternatives }
}

extension TakeoverOffer {
    /// As it is sent. What a message has no room for is left out: first what the next process finds out itself.
    func bytes(atMost limit: Int) throws -> [UInt8] {
        let all = Array(try JSONEncoder().encode(self))
        guard all.count > limit else { return all }
        let less = TakeoverOffer(
            listeners: listeners, pins: pins, drained: drained, outages: outages, degraded: nil, aliases: nil)
        return Array(try JSONEncoder().encode(less))
    }

    /// Reads what another process has written; `nil` if it is no offer.
    init?(bytes: [UInt8]) {
        guard let offer = try? JSONDecoder().decode(TakeoverOffer.self, from: Data(bytes)) else { return nil }
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

import FailoverCore
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

    /// A service that is down: its end is to be told, its begin was.
    struct Outage: Codable, Sendable {
        let service: String
        /// In seconds since 1970.
        let since: Double
        let failure: PingFailure

        var begin: WallTime { WallTime(sinceEpoch: Duration(foreignSeconds: since)) }
    }

    let listeners: [Listener]
    let pins: [Pin]
    /// Aliases that an operator took out of service.
    let drained: [String]
    let outages: [Outage]
}

extension TakeoverOffer {
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

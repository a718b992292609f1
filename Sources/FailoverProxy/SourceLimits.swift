import FailoverCore
import FailoverSystem

/// The limits of one client source: open sessions, and new sessions per second.
struct SourceLimit: Hashable, Sendable {
    /// `max_connections_per_source`; `nil` is no limit.
    var sessions: Int?
    /// `connection_rate_per_source`; `nil` is no limit. This is also the burst size.
    var rate: Int?
}

/// The source of a client, to which the limits apply: an IPv4 address, or the upper 64 bits of an IPv6 address, which
/// identify one network.
struct SourceKey: Hashable {
    /// Never 0.
    let number: UInt64

    init(number: UInt64) { self.number = number }

    /// `nil` for a client of a Unix socket, which has no limits.
    init?(_ address: SocketAddress?) {
        guard let ip = address?.ip else { return nil }
        let isMapped = ip.count == 16 && ip.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
        let bytes = ip.count == 16 ? isMapped ? ip.suffix(4) : ip.prefix(8) : ip
        let bits = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        // The upper bits distinguish an IPv4 address from an IPv6 network: ff00::/8 is multicast, so no client has
        // them.
        number = bytes.count == 4 ? bits | 0xffff_ffff << 32 : bits | (bits == 0 ? 1 : 0)
    }
}

/// The client sources of one route, over all loops: those with open sessions, and those of the last second.
final class SourceLimits: Sendable {
    enum Refusal: Equatable {
        case tooMany
        case tooFast
    }

    private struct Source {
        var open = 0
        /// The number of sessions that the source could open at the time `at`.
        var tokens: Double
        var at: UInt64
    }

    private struct State {
        var limit: SourceLimit
        var sources: [UInt64: Source] = [:]
        /// The number of sources at which expired ones are removed.
        var sweepsAt = leastSweep
    }

    private static let leastSweep = 1024
    private static let second: UInt64 = 1_000_000_000

    private let state: Lock<State>

    init(_ limit: SourceLimit) { state = Lock(State(limit: limit)) }

    func change(_ limit: SourceLimit) { state.withLock { $0.limit = limit } }

    /// The number of known sources.
    var count: Int { state.withLock { $0.sources.count } }

    /// Counts a new session of the source.
    ///
    /// - Returns: the reason for a refusal, or `nil` if the session is counted until ``leave(_:)``.
    func enter(_ key: SourceKey, now: UInt64) -> Refusal? {
        state.withLock { state in
            if state.sources.count >= state.sweepsAt { sweep(&state, now: now) }
            let burst = Double(state.limit.rate ?? 0)
            var source = state.sources[key.number] ?? Source(tokens: burst, at: now)
            let passed = now > source.at ? Double(now - source.at) / Double(Self.second) : 0
            source.tokens = min(burst, source.tokens + passed * burst)
            source.at = max(now, source.at)
            defer { state.sources[key.number] = source }
            if let most = state.limit.sessions, source.open >= most { return .tooMany }
            if state.limit.rate != nil {
                guard source.tokens >= 1 else { return .tooFast }
                source.tokens -= 1
            }
            source.open += 1
            return nil
        }
    }

    /// A counted session has ended.
    ///
    /// - Parameter isForgotten: whether the session no longer counts against the rate, so that another session can
    ///   follow at once.
    func leave(_ key: SourceKey, isForgotten: Bool = false) {
        state.withLock { state in
            guard var source = state.sources[key.number] else { return }
            source.open -= 1
            if isForgotten { source.tokens += 1 }
            let matters = source.open > 0 || state.limit.rate != nil
            state.sources[key.number] = matters ? source : nil
        }
    }

    /// Removes sources that have no open session and for which the whole rate is available again.
    private func sweep(_ state: inout State, now: UInt64) {
        state.sources = state.sources.filter { $0.value.open > 0 || now < $0.value.at &+ Self.second }
        state.sweepsAt = max(Self.leastSweep, state.sources.count * 2)
    }
}

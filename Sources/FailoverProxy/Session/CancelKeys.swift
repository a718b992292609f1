import FailoverCore
import FailoverSystem

/// Finds the aliases that may run the query of a CancelRequest: those that issued its key, and those with sessions
/// whose keys cannot be read. All loops share it.
final class CancelKeys: Sendable {
    private struct State {
        /// One number for each key and the alias that issued it.
        var known: Set<UInt64> = []
        /// The number of sessions on each alias whose keys are unknown.
        var keyless: [Int] = []
    }

    private let state = Lock(State())

    /// Changes the number of sessions on the alias whose keys are unknown: 1 when such a session begins, -1 when it
    /// ends or when its key becomes known.
    func addKeyless(_ count: Int, alias: Int) {
        state.withLock { state in
            if alias >= state.keyless.count {
                state.keyless += repeatElement(0, count: alias + 1 - state.keyless.count)
            }
            state.keyless[alias] += count
        }
    }

    func insert(_ key: CancelKey, alias: Int) { state.withLock { _ = $0.known.insert(key.number(onAlias: alias)) } }

    func remove(_ key: CancelKey, alias: Int) { state.withLock { _ = $0.known.remove(key.number(onAlias: alias)) } }

    /// Whether a session on the alias may have the key.
    func mayHold(_ key: CancelKey, alias: Int) -> Bool {
        state.withLock { state in
            alias < state.keyless.count && state.keyless[alias] > 0 || state.known.contains(key.number(onAlias: alias))
        }
    }
}

/// A process ID and its secret key, as in BackendKeyData and CancelRequest, hashed into one number. The server
/// compares the secret itself.
struct CancelKey: Hashable {
    private let value: UInt64

    /// - Parameter bytes: four bytes of the process ID, then the secret key.
    init(_ bytes: some Sequence<UInt8>) {
        // FNV-1a.
        value = bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// The key in a whole CancelRequest: length, code, process ID, secret key.
    init(request: [UInt8]) { self.init(request.dropFirst(8)) }

    fileprivate func number(onAlias alias: Int) -> UInt64 {
        (value ^ UInt64(truncatingIfNeeded: alias)) &* 0x9e37_79b9_7f4a_7c15
    }
}

// MARK: - A session's key

/// What is known of a session's cancel key.
enum SessionKey {
    /// The session has no key, or has no key any more.
    case absent
    /// The server may have sent a key that cannot be read, or has not sent one yet.
    case unknown
    case known(CancelKey)
}

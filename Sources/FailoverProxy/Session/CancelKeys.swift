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
        /// The keys of sessions that have moved to another server: what the client has, and what the server has.
        var moved: [[UInt8]: MovedKey] = [:]
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

    /// The client's session has moved to a server of the alias, which has given it another key.
    func move(_ key: [UInt8], to alias: Int, _ new: [UInt8]) {
        guard !key.isEmpty else { return }
        state.withLock { $0.moved[key] = MovedKey(alias: alias, key: new) }
    }

    func forget(moved key: [UInt8]) { state.withLock { _ = $0.moved.removeValue(forKey: key) } }

    /// Where the session with the key has moved; `nil` if it has not.
    func moved(_ key: [UInt8]) -> MovedKey? { state.withLock { $0.moved[key] } }

    /// Whether a session on the alias may have the key.
    func mayHold(_ key: CancelKey, alias: Int) -> Bool {
        state.withLock { state in
            alias < state.keyless.count && state.keyless[alias] > 0 || state.known.contains(key.number(onAlias: alias))
        }
    }
}

/// The alias that a session has moved to, and its key there: process ID and secret key.
struct MovedKey {
    let alias: Int
    let key: [UInt8]
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
    /// The session has moved to another server. The client still has this key.
    case moved([UInt8])
}

/// CancelRequest; chapter "Message Formats".
enum PostgresCancel {
    /// Length and request code.
    private static let headSize = 8
    private static let code: [UInt8] = [0x04, 0xd2, 0x16, 0x2e]

    /// The process ID and the secret key in a request.
    static func key(in request: [UInt8]) -> [UInt8] { Array(request.dropFirst(headSize)) }

    static func request(_ key: [UInt8]) -> [UInt8] {
        let length = UInt32(clamping: headSize + key.count)
        return (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + code + key
    }
}

import FailoverCore

/// Which aliases may run the query that a CancelRequest names: those that were seen to give out its key, and those with
/// sessions whose keys can't be read. Shared by all loops.
final class CancelKeys: Sendable {
    private struct State {
        /// One number for each key and the alias that gave it out.
        var known: Set<UInt64> = []
        /// Sessions on each alias whose keys are not known.
        var keyless: [Int] = []
    }

    private let state = Lock(State())

    /// A session whose key is not known begins (1) or ends (-1), or its key becomes known (-1).
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

/// A process and its secret, as BackendKeyData and CancelRequest have them, in one number. The server compares the
/// secret itself.
struct CancelKey: Hashable {
    private let value: UInt64

    /// - Parameter bytes: four of the process, then those of the secret.
    init(_ bytes: some Sequence<UInt8>) {
        // FNV-1a.
        value = bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// The key of a whole CancelRequest: length, code, process, secret.
    init(request: [UInt8]) { self.init(request.dropFirst(8)) }

    fileprivate func number(onAlias alias: Int) -> UInt64 {
        (value ^ UInt64(truncatingIfNeeded: alias)) &* 0x9e37_79b9_7f4a_7c15
    }
}

// MARK: - A session's key

/// What is known of the key that cancels a session's queries.
enum SessionKey {
    /// The session has none, or none any more.
    case absent
    /// The server may have told one that can't be read, or is yet to tell it.
    case unknown
    case known(CancelKey)
}

extension Session {
    /// A backend serves the session: it may tell a key.
    func awaitKey() {
        guard worker.configuration.routes[route].engine == .postgres, let alias = machine.alias else { return }
        worker.registry.cancelKeys.addKeyless(1, alias: alias)
        key = .unknown
        // A key that the guard has passed on was not read.
        if case .postgres = stream { awaitsKey = true }
    }

    /// The server has said more. Once it awaits queries its key has been told, or there is none.
    func learnKey() {
        guard awaitsKey, let key = stream.cancelKey, let alias = machine.alias else { return }
        awaitsKey = false
        switch key {
        case .unknown: return
        case .known(let key): worker.registry.cancelKeys.insert(key, alias: alias)
        case .absent: break
        }
        worker.registry.cancelKeys.addKeyless(-1, alias: alias)
        self.key = key
    }

    /// There is nothing left to cancel.
    func forgetKey() {
        guard let alias = machine.alias else { return }
        switch key {
        case .absent: return
        case .unknown: worker.registry.cancelKeys.addKeyless(-1, alias: alias)
        case .known(let key): worker.registry.cancelKeys.remove(key, alias: alias)
        }
        key = .absent
        awaitsKey = false
    }
}

package import FailoverCore
package import FailoverSystem

/// Finds the addresses of endpoints, anew each time, without ever blocking its caller.
///
/// What a name was found at last is remembered: while name servers are away, or say that there is no such name, callers
/// get that. It is a server's to say whether it is still there. So are the addresses of one family, while only those of the
/// other are found.
///
/// Callers who ask for the same name at the same time share one look-up. A look-up that hangs therefore holds one
/// thread a name, however many callers give up on it.
package final class NameResolver: Sendable {
    typealias LookUp = @Sendable (String) throws(PingFailure) -> AddressList
    typealias FamilyLookUp = @Sendable (String, Int32) throws(PingFailure) -> AddressList

    /// Where a name is.
    struct Place {
        /// In the system's order of preference, none twice, never empty.
        var addresses: [SocketAddress]
        /// Whether it could not be looked up this time, so that this is where it was.
        var isRemembered = false
    }

    private struct State {
        /// Who waits for which name; a name is a key from the start of its look-up to its end.
        var waiting: [String: [Int: Answer<AddressList>]] = [:]
        var nextWaiter = 0
        /// What was found last, by name.
        var known: [String: AddressList] = [:]
    }

    /// Who knows where a name was waits no longer than that to hear where it is; an answer that comes later is for the
    /// next caller.
    private static let patienceWithKnown = Duration.seconds(1)
    /// Names that are remembered; they come from the configuration.
    private static let mostKnown = 10_000

    private let threads: BlockingThreads
    private let lookUp: LookUp
    private let lookUpFamily: FamilyLookUp
    private let state = Lock(State())

    /// A resolver whose look-ups run on `threads`.
    package convenience init(threads: BlockingThreads) {
        self.init(threads: threads) { name, family throws(PingFailure) in
            try AddressList(name: name, family: family)
        } lookUp: { name throws(PingFailure) in
            try AddressList(name: name)
        }
    }

    /// A resolver that looks names up in a way of its own, for tests.
    ///
    /// - Parameter lookUpFamily: looks up the addresses of one family; there may be none.
    init(
        threads: BlockingThreads,
        lookUpFamily: @escaping FamilyLookUp = { _, _ throws(PingFailure) in AddressList(literals: []) },
        lookUp: @escaping LookUp
    ) {
        self.threads = threads
        self.lookUp = lookUp
        self.lookUpFamily = lookUpFamily
    }

    /// The addresses of an endpoint in the system's order of preference, none twice, never empty.
    ///
    /// IP literals and Unix sockets are answered at once, names by getaddrinfo(3).
    /// - Parameter limit: how long this caller waits; half of it, and a second, at most, for a name that was found before.
    /// - Throws: ``PingFailure``: `.unresolved`, `.timeout(.lookup)`, or `.local` for a socket path that is too long.
    package func addresses(of endpoint: Endpoint, limit: Duration) async throws(PingFailure) -> [SocketAddress] {
        try await place(of: endpoint, limit: limit).addresses
    }

    /// Another process found the endpoint there. Without effect on a name that this one has found itself.
    package func remember(_ addresses: [SocketAddress], of endpoint: Endpoint) {
        let list = AddressList(addresses)
        guard case .tcp(let host, _) = endpoint, !list.families.isEmpty else { return }
        state.withLock { state in
            if state.known[host] == nil, state.known.count < Self.mostKnown { state.known[host] = list }
        }
    }

    /// The same with whether it could be looked up.
    func place(of endpoint: Endpoint, limit: Duration) async throws(PingFailure) -> Place {
        switch endpoint {
        case .unix(let path):
            guard let address = SocketAddress.unix(path: path) else {
                let count = path.utf8.count
                throw PingFailure(.local, "unix:\(path): a socket's path has 1 to 107 bytes, this one has \(count)")
            }
            return Place(addresses: [address])
        case .tcp(let host, let port):
            if let literal = AddressList(literal: host) { return Place(addresses: literal.withPort(port)) }
            guard let known = state.withLock({ $0.known[host] }) else {
                return Place(addresses: try await addresses(ofName: host, limit: limit).withPort(port))
            }
            do {
                let found = try await addresses(ofName: host, limit: min(limit / 2, Self.patienceWithKnown))
                return Place(addresses: found.withPort(port))
            } catch {
                return Place(addresses: known.withPort(port), isRemembered: true)
            }
        }
    }

    private func addresses(ofName name: String, limit: Duration) async throws(PingFailure) -> AddressList {
        let answer = Answer<AddressList>()
        let (waiter, isFirst) = state.withLock { state in
            let waiter = state.nextWaiter
            state.nextWaiter += 1
            let isFirst = state.waiting[name] == nil
            state.waiting[name, default: [:]][waiter] = answer
            return (waiter, isFirst)
        }
        // Whoever gave up is forgotten; the look-up itself stays known until it ends.
        defer { state.withLock { state in _ = state.waiting[name]?.removeValue(forKey: waiter) } }
        if isFirst {
            do {
                try threads.start { [self] in finish(name, Result { () throws(PingFailure) in try found(name) }) }
            } catch {
                finish(name, .failure(error))
            }
        }
        return try await answer.take(within: limit) {
            PingFailure(.timeout(.lookup), "\(name): no answer to the name look-up within \(limit.text)")
        }
    }

    /// Looks the name up. Blocks.
    ///
    /// getaddrinfo(3) gives the addresses of one family when the question for the other fails. So a family that is missing is
    /// asked for: none is none, and no answer leaves the known ones.
    private func found(_ name: String) throws(PingFailure) -> AddressList {
        var list = try lookUp(name)
        guard let known = state.withLock({ $0.known[name] }) else { return list }
        for family in known.families.subtracting(list.families) {
            do { list.append(try lookUpFamily(name, family)) } catch { list.append(known.only(family)) }
        }
        return list
    }

    private func finish(_ name: String, _ outcome: Answer<AddressList>.Outcome) {
        let waiting = state.withLock { state in
            if case .success(let list) = outcome, state.known[name] != nil || state.known.count < Self.mostKnown {
                state.known[name] = list
            }
            return state.waiting.removeValue(forKey: name)
        }
        for answer in (waiting ?? [:]).values { answer.give(outcome) }
    }
}

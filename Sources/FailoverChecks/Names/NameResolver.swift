package import FailoverCore
package import FailoverSystem

/// Resolves endpoints, anew each time, without blocking its caller.
///
/// The latest addresses of a name are remembered and used while name servers do not answer or report that the name
/// does not exist. Whether a server is still there is decided by the ping. If only the addresses of one family are
/// found, the remembered ones of the other are kept.
///
/// Concurrent callers for the same name share one look-up. A hanging look-up therefore holds one thread per name,
/// however many callers give up on it.
package final class NameResolver: Sendable {
    package typealias LookUp = @Sendable (String) throws(PingFailure) -> AddressList
    typealias FamilyLookUp = @Sendable (String, Int32) throws(PingFailure) -> AddressList

    /// The addresses of an endpoint.
    struct Resolution {
        /// In the system's order of preference, without duplicates, never empty.
        var addresses: [SocketAddress]
        /// Whether the look-up failed and these are the remembered addresses.
        var isRemembered = false
    }

    private typealias Found = Result<AddressList, PingFailure>

    private struct State {
        /// Waiting callers by name. A name is a key from the start of its look-up to its end.
        var waiting: [String: [Int: Promise<Found>]] = [:]
        var nextWaiter = 0
        /// The latest addresses by name.
        var known: [String: AddressList] = [:]
    }

    /// The time limit of a look-up if the name's addresses are remembered. A later answer is for the next caller.
    private static let timeoutWithKnown = Duration.seconds(1)
    /// The maximum number of remembered names. They come from the configuration.
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

    /// A resolver with custom look-up functions, for tests.
    ///
    /// - Parameter lookUpFamily: looks up the addresses of one family; the result may be empty.
    init(
        threads: BlockingThreads,
        lookUpFamily: @escaping FamilyLookUp = { _, _ throws(PingFailure) in AddressList(literals: []) },
        lookUp: @escaping LookUp
    ) {
        self.threads = threads
        self.lookUp = lookUp
        self.lookUpFamily = lookUpFamily
    }

    /// The addresses of an endpoint in the system's order of preference, without duplicates, never empty.
    ///
    /// IP literals and Unix sockets are resolved immediately, names by getaddrinfo(3).
    /// - Parameter limit: how long this caller waits. For a remembered name it waits for half of the limit, and at
    ///   most one second.
    /// - Throws: ``PingFailure``: `.unresolved`, `.timeout(.lookup)`, or `.local` for a socket path that is too long.
    package func addresses(of endpoint: Endpoint, limit: Duration) async throws(PingFailure) -> [SocketAddress] {
        try await resolution(of: endpoint, limit: limit).addresses
    }

    /// Remembers addresses that another process found. Has no effect if the name is already remembered.
    package func remember(_ addresses: [SocketAddress], of endpoint: Endpoint) {
        let list = AddressList(addresses)
        guard case .tcp(let host, _) = endpoint, !list.families.isEmpty else { return }
        state.withLock { state in
            if state.known[host] == nil, state.known.count < Self.mostKnown { state.known[host] = list }
        }
    }

    /// The same, with whether the addresses are remembered ones.
    func resolution(of endpoint: Endpoint, limit: Duration) async throws(PingFailure) -> Resolution {
        switch endpoint {
        case .unix(let path):
            guard let address = SocketAddress.unix(path: path) else {
                let count = path.utf8.count
                throw PingFailure(.local, "unix:\(path): a socket's path has 1 to 107 bytes, this one has \(count)")
            }
            return Resolution(addresses: [address])
        case .tcp(let host, let port):
            if let literal = AddressList(literal: host) { return Resolution(addresses: literal.withPort(port)) }
            guard let known = state.withLock({ $0.known[host] }) else {
                return Resolution(addresses: try await addresses(ofName: host, limit: limit).withPort(port))
            }
            do {
                let found = try await addresses(ofName: host, limit: min(limit / 2, Self.timeoutWithKnown))
                return Resolution(addresses: found.withPort(port))
            } catch {
                return Resolution(addresses: known.withPort(port), isRemembered: true)
            }
        }
    }

    private func addresses(ofName name: String, limit: Duration) async throws(PingFailure) -> AddressList {
        let answer = Promise<Found>()
        let (waiter, isFirst) = state.withLock { state in
            let waiter = state.nextWaiter
            state.nextWaiter += 1
            let isFirst = state.waiting[name] == nil
            state.waiting[name, default: [:]][waiter] = answer
            return (waiter, isFirst)
        }
        // A caller that gave up is removed. The look-up stays known until it ends.
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
    /// If the query for one family fails, getaddrinfo(3) returns the addresses of the other. So a missing family is
    /// looked up separately: if it has no addresses, none are used; if that query fails, the remembered ones are
    /// kept.
    private func found(_ name: String) throws(PingFailure) -> AddressList {
        var list = try lookUp(name)
        guard let known = state.withLock({ $0.known[name] }) else { return list }
        for family in known.families.subtracting(list.families) {
            do { list.append(try lookUpFamily(name, family)) } catch { list.append(known.only(family)) }
        }
        return list
    }

    private func finish(_ name: String, _ outcome: Found) {
        let waiting = state.withLock { state in
            if case .success(let list) = outcome, state.known[name] != nil || state.known.count < Self.mostKnown {
                state.known[name] = list
            }
            return state.waiting.removeValue(forKey: name)
        }
        for answer in (waiting ?? [:]).values { answer.give(outcome) }
    }
}

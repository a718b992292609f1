package import FailoverCore
package import FailoverSystem

/// Resolves endpoints. Each call looks up the name again, and does not block a thread of its caller.
///
/// The resolver remembers the latest addresses of a name. It uses them while name servers do not answer, or report that
/// the name does not exist. The ping then shows whether the server is still there. If only addresses of one family are
/// found, the remembered addresses of the other family are kept.
///
/// Concurrent callers for the same name share one look-up. So a look-up that hangs occupies one thread per name, for
/// any number of callers.
package final class NameResolver: Sendable {
    package typealias LookUp = @Sendable (String) throws(PingFailure) -> AddressList
    typealias FamilyLookUp = @Sendable (String, Int32) throws(PingFailure) -> AddressList

    /// The addresses of an endpoint.
    struct Resolution {
        /// The addresses in the system's order of preference, without duplicates; never empty.
        var addresses: [SocketAddress]
        /// Whether the look-up failed, so that these are the remembered addresses.
        var isRemembered = false
    }

    private typealias Found = Result<AddressList, PingFailure>

    private struct State {
        /// Waiting callers, by name. A name is a key from the start of its look-up to its end.
        var waiting: [String: [Int: Promise<Found>]] = [:]
        var nextWaiter = 0
        /// The latest addresses by name.
        var known: [String: AddressList] = [:]
    }

    /// The time limit of a look-up if addresses of the name are remembered. A later answer is used for the next caller.
    private static let timeoutWithKnown = Duration.seconds(1)
    /// The maximum number of remembered names.
    private static let mostKnown = 10_000

    private let threads: BlockingThreads
    private let lookUp: LookUp
    private let lookUpFamily: FamilyLookUp
    private let state = Lock(State())

    /// Creates a resolver whose look-ups run on `threads`.
    package convenience init(threads: BlockingThreads) {
        self.init(threads: threads) { name, family throws(PingFailure) in
            try AddressList(name: name, family: family)
        } lookUp: { name throws(PingFailure) in
            try AddressList(name: name)
        }
    }

    /// Creates a resolver with other look-up functions, for tests.
    ///
    /// - Parameter lookUpFamily: looks up the addresses of one family. The result may be empty.
    init(
        threads: BlockingThreads,
        lookUpFamily: @escaping FamilyLookUp = { _, _ throws(PingFailure) in AddressList(literals: []) },
        lookUp: @escaping LookUp
    ) {
        self.threads = threads
        self.lookUp = lookUp
        self.lookUpFamily = lookUpFamily
    }

    /// Returns the addresses of an endpoint, in the system's order of preference, without duplicates; never empty.
    ///
    /// IP literals and Unix sockets are resolved immediately, names by getaddrinfo(3).
    /// - Parameter limit: the maximum wait. For a remembered name, the maximum is half of this, and at most one second.
    /// - Throws: ``PingFailure``: `.unresolved`, `.timeout(.lookup)`, or `.local` for a socket path that is too long.
    package func addresses(of endpoint: Endpoint, limit: Duration) async throws(PingFailure) -> [SocketAddress] {
        try await resolution(of: endpoint, limit: limit).addresses
    }

    /// Remembers addresses that another process found. This has no effect if the name is already remembered.
    package func remember(_ addresses: [SocketAddress], of endpoint: Endpoint) {
        let list = AddressList(addresses)
        guard case .tcp(let host, _) = endpoint, !list.families.isEmpty else { return }
        state.withLock { state in
            if state.known[host] == nil, state.known.count < Self.mostKnown { state.known[host] = list }
        }
    }

    /// Returns the same addresses as ``addresses(of:limit:)``, and whether they are remembered ones.
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

    /// Looks up the name. This blocks.
    ///
    /// If the query for one family fails, getaddrinfo(3) returns only the addresses of the other family. So a missing
    /// family is looked up separately. If it has no addresses, none are used. If that query fails, the remembered
    /// addresses are kept.
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

package import FailoverCore
package import FailoverSystem

/// Pings the servers of a Memcached pool beside each other; the pool is down when any of them is.
package struct MemcachedCheck: Sendable {
    private let servers: [(name: String, check: AddressedCheck)]

    package init(servers: [Endpoint], resolver: NameResolver, threads: BlockingThreads) {
        self.servers = servers.map { endpoint in
            let check = AddressedCheck(
                endpoint: endpoint, secret: nil, driver: MemcachedDriver(), resolver: resolver, threads: threads)
            return (endpoint.description, check)
        }
    }

    /// Pings each server once.
    ///
    /// - Parameter limit: for each of them, name look-up included, and so for all.
    /// - Throws: `.serversDown` with the names of the dead; a pool of one server fails as the server does.
    package func ping(limit: Duration) async throws(PingFailure) {
        let failures = await withTaskGroup(of: (Int, PingFailure?).self) { group in
            for (index, server) in servers.enumerated() {
                group.addTask { (index, await server.check.failure(limit: limit)) }
            }
            var failures = [PingFailure?](repeating: nil, count: servers.count)
            for await (index, failure) in group { failures[index] = failure }
            return failures
        }
        let failed = zip(servers, failures).compactMap { server, failure in
            failure.map { (name: server.name, failure: $0) }
        }
        // A server that refuses, or could not be asked, is none of the dead.
        let dead = failed.filter { $0.failure.kind == .dead }
        guard let first = dead.first ?? failed.first(where: { $0.failure.kind == .refusal }) ?? failed.first else {
            return
        }
        if dead.isEmpty || servers.count == 1 { throw first.failure }
        let list = dead.map { "\($0.name) (\($0.failure.reason))" }.joined(separator: ", ")
        throw PingFailure(
            .serversDown(dead.map(\.name)), "\(dead.count) of \(servers.count) servers down: \(list)")
    }
}

extension AddressedCheck {
    /// The failure of one ping, if it fails.
    fileprivate func failure(limit: Duration) async -> PingFailure? {
        do {
            try await ping(limit: limit) { _ in }
            return nil
        } catch { return error }
    }
}

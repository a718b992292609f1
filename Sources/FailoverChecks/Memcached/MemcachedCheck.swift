package import FailoverCore
package import FailoverSystem

/// Pings every server of a memcached pool, all at once. The pool is down when any of them is.
package struct MemcachedCheck: Sendable {
    private let checks: [AddressedCheck]

    /// - Parameter servers: at least one.
    package init(servers: [Endpoint], resolver: NameResolver, threads: BlockingThreads) {
        checks = servers.map {
            AddressedCheck(endpoint: $0, secret: nil, driver: MemcachedDriver(), resolver: resolver, threads: threads)
        }
    }

    /// Pings once.
    ///
    /// - Parameter limit: for the whole ping, which is each server's: none waits for another.
    /// - Throws: ``PingFailure/Reason/serversDown(_:)`` that names those that are down. What a pool of one server says is
    ///   that server's own failure.
    package func ping(limit: Duration) async throws(PingFailure) {
        let failures = await withTaskGroup(of: (Int, PingFailure?).self) { group in
            for (index, check) in checks.enumerated() {
                group.addTask { (index, await Self.failure(of: check, limit: limit)) }
            }
            var failures: [Int: PingFailure] = [:]
            for await (index, failure) in group { failures[index] = failure }
            return failures
        }
        guard !failures.isEmpty else { return }
        if checks.count == 1, let failure = failures[0] { throw failure }
        let down = failures.sorted { $0.key < $1.key }.map { (name: checks[$0.key].endpoint.description, $0.value) }
        let details = down.map { "\($0) (\($1.reason))" }.joined(separator: ", ")
        throw PingFailure(
            .serversDown(down.map(\.name)), "\(down.count) of \(checks.count) servers down: \(details)")
    }

    private static func failure(of check: AddressedCheck, limit: Duration) async -> PingFailure? {
        do throws(PingFailure) {
            try await check.ping(limit: limit) { _ in }
            return nil
        } catch {
            return error
        }
    }
}

package import FailoverCore
package import FailoverSystem

/// Pings an endpoint by connecting to it. Nothing is sent.
package struct TCPCheck: Sendable {
    private let check: AddressedCheck

    package init(endpoint: Endpoint, resolver: NameResolver, threads: BlockingThreads) {
        check = AddressedCheck(
            endpoint: endpoint, secret: nil, driver: TCPDriver(), resolver: resolver, threads: threads)
    }

    /// Pings once.
    ///
    /// - Parameters:
    ///   - limit: for the whole ping, name look-up included.
    ///   - onAddresses: called with the resolved addresses, and once more if another than the first one answered, with
    ///     the one that did in front.
    package func ping(
        limit: Duration, onAddresses: @escaping @Sendable ([SocketAddress]) -> Void = { _ in }
    ) async throws(PingFailure) {
        try await check.ping(limit: limit, report: onAddresses)
    }
}

package import FailoverCore
package import FailoverSystem

/// Asks the server at one address which of the proxy's connections to it are at a transaction boundary.
package final class BoundaryCheck: Sendable {
    package init(server: DatabaseServer, address: SocketAddress, threads: BlockingThreads) {}
    package func answer(for sources: [SocketAddress]) async -> BoundaryAnswer { .failed("stub") }
}

package enum BoundaryAnswer: Sendable, Equatable {
    case attested(Set<SocketAddress>)
    case hidden(remedy: String)
    case blind
    case failed(String)
}

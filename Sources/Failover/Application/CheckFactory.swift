import FailoverChecks
import FailoverCore
import FailoverSystem

/// Makes the checks of a process, which share one resolver and one set of threads.
struct CheckFactory: Sendable {
    let resolver: NameResolver
    private let threads = BlockingThreads()

    init() { resolver = NameResolver(threads: threads) }

    /// The check of a database server.
    func check(of server: DatabaseServer) -> DatabaseCheck {
        DatabaseCheck(server: server, resolver: resolver, threads: threads)
    }

    /// The check of a port that is only connected to.
    func check(of endpoint: Endpoint) -> TCPCheck {
        TCPCheck(endpoint: endpoint, resolver: resolver, threads: threads)
    }
}

import FailoverCore
import FailoverSystem
import Synchronization

/// The messages that other threads send to a worker.
enum WorkerMessage: Sendable {
    /// Use this route table from now on.
    case routes(LatestTable)
    /// Serve this snapshot from now on.
    case snapshot(ProxySnapshot)
    /// Accept clients at the listener. The worker owns its socket.
    case listen(OpenListener)
    /// The listener belongs to another route from now on.
    case reassign(OpenListener)
    /// Serve a client that another worker accepted and counted. The worker owns the socket.
    case adopt(client: Int32, route: Int, refusal: Refusal?)
    /// Accept the clients that wait in the accept queues, close the listeners and call back. The set contains the
    /// identifiers of the listeners; `nil` is all.
    case stopAccepting(Set<Int>? = nil, @Sendable () -> Void)
    /// Close sessions where that is safe: the process is about to end.
    case shutDown
    case closeSessions
    /// Close sessions where that is safe: another process accepts new clients.
    case handOver
    /// Close the sessions of the route, or only those that the alias serves.
    case close(route: Int, alias: Int?)
    /// The session has been given the connection slot that it waited for, if it still waits.
    case placeFound(session: UInt64, slot: Int, line: Line)
    /// The answer to the question of a route's drain.
    case boundaries(route: Int, question: UInt64, BoundaryQuestions.Place, BoundaryReply)
    /// Report the sessions' statistics. `askedAt` is in nanoseconds of the loops' clock.
    case report(askedAt: UInt64, @Sendable (TrafficReport) -> Void)
    /// Report the positions that sessions use.
    case usedPositions(@Sendable (RouteTable.Positions) -> Void)
    /// Report the open sessions.
    case sessions(SessionQuery, @Sendable ([SessionReport]) -> Void)
    case stop
}

/// The interface of a worker for other threads.
final class WorkerHandle: Sendable {
    let mailbox: Mailbox<WorkerMessage>
    /// The number of sessions that the worker serves or is about to serve.
    let load = Atomic<Int>(0)

    private let latest = Lock<LatestTable?>(nil)

    init() throws(SystemError) { mailbox = try Mailbox() }

    /// Makes the worker use this route table. If several are posted before its next turn, it takes the last one.
    func follow(_ table: RouteTable) {
        latest.withLock { latest in
            if latest?.replace(with: table) == true { return }
            let next = LatestTable(table)
            latest = next
            mailbox.post(.routes(next))
        }
    }

    /// Posts a snapshot. The tables that follow belong to it.
    func post(_ snapshot: ProxySnapshot) {
        latest.withLock { latest in
            latest = nil
            mailbox.post(.snapshot(snapshot))
        }
    }
}

/// A route table on its way to a worker. It can be replaced until the worker takes it.
final class LatestTable: Sendable {
    private let table: Lock<RouteTable?>

    init(_ table: RouteTable) { self.table = Lock(table) }

    /// - Returns: whether the table was replaced before it was taken.
    func replace(with newer: RouteTable) -> Bool {
        table.withLock { table in
            guard table != nil else { return false }
            table = newer
            return true
        }
    }

    /// Takes the table; `nil` if it was already taken.
    func take() -> RouteTable? { table.withLock { $0.take() } }
}

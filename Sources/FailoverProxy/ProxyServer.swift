public import FailoverCore
import FailoverSystem
import Glibc
public import Logging
import Synchronization

/// The data plane: listeners and sessions on their event loops.
public final class ProxyServer: Sendable {
    private let configuration: ProxyConfiguration
    private let board: RouteBoard
    private let observer: any ProxyObserver
    private let log: Logger
    private let registry: SessionRegistry
    private let handles: [WorkerHandle]
    private let sockets: Lock<[(socket: Int32, route: Int)]>
    private let paths: [String]
    private let ended: (stream: AsyncStream<Void>, one: AsyncStream<Void>.Continuation)
    /// Where each route listens, with the ports that the system chose.
    public let addresses: [[SocketAddress]]

    /// Opens all listeners; clients wait in their queues until ``start()``.
    ///
    /// - Throws: ``ListenError``, or a system call's failure; nothing stays open then.
    public init(
        configuration: ProxyConfiguration, board: RouteBoard, observer: any ProxyObserver, log: Logger
    ) throws {
        self.configuration = configuration
        self.board = board
        self.observer = observer
        self.log = log
        handles = try (0..<configuration.workers).map { _ in try WorkerHandle() }
        registry = SessionRegistry(
            routeLimits: configuration.routes.map(\.maxConnections), aliasLimits: configuration.aliasLimits,
            capacity: DescriptorLimit.raise().sessions)
        let (stream, one) = AsyncStream.makeStream(of: Void.self)
        ended = (stream, one)
        var opened = OpenedListeners()
        do {
            for (index, route) in configuration.routes.enumerated() { try opened.open(route, index: index) }
        } catch {
            opened.closeAll()
            throw error
        }
        sockets = Lock(opened.sockets)
        paths = opened.paths
        addresses = opened.addresses
    }

    /// Sessions of this moment.
    public var sessionCount: Int { registry.count }

    /// What sessions have done, once each loop has said so.
    public func trafficReport() async -> TrafficReport {
        var sum = TrafficReport(board.table)
        for report in await answers({ .report(askedAt: EventLoop.readClock(), $0) }) { sum.add(report) }
        return sum
    }

    /// The open sessions that are asked for, lowest numbers first.
    public func sessions(_ query: SessionQuery) async -> [SessionReport] {
        let sessions = await answers { .sessions(query, $0) }.joined()
        return Array(sessions.sorted { $0.id < $1.id }.prefix(query.limit))
    }

    /// What each loop answers to a question.
    private func answers<Answer: Sendable>(
        _ question: (@escaping @Sendable (Answer) -> Void) -> WorkerMessage
    ) async -> [Answer] {
        let (answers, answer) = AsyncStream.makeStream(of: Answer.self)
        tellAll(question { answer.yield($0) })
        var given: [Answer] = []
        for await answer in answers {
            given.append(answer)
            if given.count == handles.count { break }
        }
        return given
    }

    /// Closes the sessions of a route, or those of it that one alias serves, with words where the protocol has a place
    /// for them.
    public func closeSessions(ofRoute route: Int, alias: Int? = nil) { tellAll(.close(route: route, alias: alias)) }

    /// Sessions of each loop.
    var loads: [Int] { handles.map { $0.load.load(ordering: .relaxed) } }

    /// Starts the loops and accepts clients.
    public func start() throws {
        let paces = configuration.routes.map { DrainPace(rate: $0.session.drainRate) }
        for index in handles.indices {
            let worker = try Worker(
                index: index, handles: handles, configuration: configuration, routes: board.table,
                registry: registry, paces: paces, observer: observer, log: log)
            try NativeThread.start(name: "loop-\(index)") { [one = ended.one] in
                worker.run()
                one.yield()
            }
        }
        board.follow { [handles] table in
            for handle in handles { handle.mailbox.post(.routes(table)) }
        }
        let sockets = sockets.withLock { sockets in
            defer { sockets = [] }
            return sockets
        }
        for (index, socket) in sockets.enumerated() {
            handles[index % handles.count].mailbox.post(.listen(socket: socket.socket, route: socket.route))
        }
    }

    /// Stops accepting, lets sessions end for `grace`, closes the rest and ends the loops.
    public func stop(grace: Duration) async {
        let (stopped, one) = AsyncStream.makeStream(of: Void.self)
        tellAll(.stopAccepting { one.yield() })
        await allWorkers(stopped)
        for path in paths { unlink(path) }
        await sessionsEnded(within: grace)
        if registry.count > 0 {
            log.notice("closing sessions that did not end", metadata: ["count": "\(registry.count)"])
        }
        tellAll(.closeSessions)
        tellAll(.stop)
        await allWorkers(ended.stream)
    }

    /// Waits until each worker has answered once.
    private func allWorkers(_ answers: AsyncStream<Void>) async {
        var remaining = handles.count
        for await _ in answers {
            remaining -= 1
            if remaining == 0 { return }
        }
    }

    private func tellAll(_ message: WorkerMessage) {
        for handle in handles { handle.mailbox.post(message) }
    }

    private func sessionsEnded(within grace: Duration) async {
        await withTaskGroup { group in
            group.addTask { try? await Task.sleep(for: grace) }
            group.addTask { [registry] in
                if registry.count == 0 { return }
                for await _ in registry.emptied where registry.count == 0 { return }
            }
            await group.next()
            group.cancelAll()
        }
    }
}

/// The listeners of all routes, opened one after the other.
private struct OpenedListeners {
    var sockets: [(socket: Int32, route: Int)] = []
    var paths: [String] = []
    var addresses: [[SocketAddress]] = []

    mutating func open(_ route: ProxyRoute, index: Int) throws(ListenError) {
        addresses.append([])
        for address in route.listen {
            let socket = try ListeningSocket.open(address, settings: route.session)
            if let path = socket.path { paths.append(path) }
            addresses[index].append(socket.address)
            sockets.append((socket.release(), index))
        }
    }

    func closeAll() {
        for (socket, _) in sockets { close(socket) }
        for path in paths { unlink(path) }
    }
}

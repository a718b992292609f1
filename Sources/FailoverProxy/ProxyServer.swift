package import FailoverCore
import FailoverSystem
import Glibc
package import Logging
import Synchronization

/// The data plane: listeners and sessions on event loops.
package final class ProxyServer: Sendable {
    private struct State {
        var snapshot: ProxySnapshot
        var listeners: OpenListeners
        /// The latest route table. Loops get it when they start.
        var table: RouteTable
        var isStarted = false
    }

    private let log: Logger
    private let registry: SessionRegistry
    private let handles: [WorkerHandle]
    private let state: Lock<State>
    private let isHandedOver = Atomic<Bool>(false)
    private let ended: (stream: AsyncStream<Void>, one: AsyncStream<Void>.Continuation)

    /// Opens all listeners. Clients wait in the accept queues until ``start()`` is called.
    ///
    /// - Parameters:
    ///   - table: the initial routes; ``follow(_:)`` replaces them.
    ///   - received: listeners that are already open. Those that no route uses are closed.
    /// - Throws: ``OperationError``, or the error of a system call. Nothing stays open in that case.
    package init(
        configuration: ProxyConfiguration, table: RouteTable, observer: any ProxyObserver, log: Logger,
        received: [ReceivedListener] = []
    ) throws {
        self.log = log
        handles = try (0..<configuration.workers).map { _ in try WorkerHandle() }
        registry = SessionRegistry(capacity: DescriptorLimit.raise().sessions)
        registry.buffers.change(limit: configuration.maxBufferMemory)
        let (stream, one) = AsyncStream.makeStream(of: Void.self)
        ended = (stream, one)
        let others = OpenListeners(received, routes: configuration.routes)
        let listeners = try others.changed(to: configuration.routes)
        for listener in others.others(than: listeners) {
            log.warning("no route listens on \(listener.address), which was passed to this process")
            close(listener.socket)
        }
        state = Lock(
            State(snapshot: ProxySnapshot(configuration, observer: observer), listeners: listeners, table: table))
    }

    /// The bound addresses of each route, with the ports that the system chose.
    package var addresses: [[SocketAddress]] {
        state.withLock { $0.listeners.addresses(routes: $0.snapshot.configuration.routes.count) }
    }

    /// The number of open sessions.
    package var sessionCount: Int { registry.count }

    /// The number of bytes that sessions buffer for slow peers.
    package var heldBytes: Int { registry.buffers.bytes }

    /// Statistics of all sessions, collected from each loop.
    package func trafficReport() async -> TrafficReport {
        await withCheckedContinuation { one in tellTraffic { one.resume(returning: $0) } }
    }

    /// Collects statistics of all sessions. `told` is called once, by the last loop that answers. It is never called if
    /// a loop is stuck.
    package func tellTraffic(_ told: @escaping @Sendable (TrafficReport) -> Void) {
        let sum = TrafficReport(state.withLock { $0.table })
        ask({ .report(askedAt: EventLoop.readClock(), $0) }) { reports in
            told(reports.reduce(into: sum) { $0.add($1) })
        }
    }

    /// The open sessions that match the query, lowest numbers first.
    package func sessions(_ query: SessionQuery) async -> [SessionReport] {
        let sessions = await withCheckedContinuation { one in
            ask({ .sessions(query, $0) }) { one.resume(returning: $0.joined()) }
        }
        return Array(sessions.sorted { $0.id < $1.id }.prefix(query.limit))
    }

    /// The positions of the route table that sessions use; `nil` if the loops do not answer within a second.
    package func usedPositions() async -> RouteTable.Positions? {
        guard state.withLock({ $0.isStarted }) else { return nil }
        let timers = TimerQueue.system
        let limit = timers.clock.now.advanced(by: .seconds(1))
        var all = RouteTable.Positions()
        // The loops are asked twice. A client may be on its way from one loop to another when the first loop answers.
        // The second question reaches the other loop after the client.
        for _ in 0..<2 {
            let used = Promise<RouteTable.Positions>()
            ask({ .usedPositions($0) }) { used.give($0.reduce(into: .init()) { $0.formUnion($1) }) }
            guard let used = await used.value(until: limit, timers) else { return nil }
            all.formUnion(used)
        }
        return all
    }

    /// Queries each loop.
    ///
    /// - Parameter all: called with all answers by the last loop that answers.
    private func ask<Answer: Sendable>(
        _ question: (@escaping @Sendable (Answer) -> Void) -> WorkerMessage,
        _ all: @escaping @Sendable ([Answer]) -> Void
    ) {
        let given = Lock<[Answer]>([])
        tellAll(
            question { [count = handles.count] answer in
                let answers = given.withLock { given in
                    given.append(answer)
                    return given
                }
                if answers.count == count { all(answers) }
            })
    }

    /// Closes the sessions of a route, or only those that one alias serves, with a closing message where the protocol
    /// allows one.
    package func closeSessions(ofRoute route: Int, alias: Int? = nil) { tellAll(.close(route: route, alias: alias)) }

    /// The number of sessions of each loop.
    var loads: [Int] { handles.map { $0.load.load(ordering: .relaxed) } }

    /// Starts the loops and accepts clients.
    package func start() throws {
        // Messages that are sent in the meantime wait in the mailboxes.
        let (snapshot, listeners, table) = state.withLock { state in
            state.isStarted = true
            return (state.snapshot, state.listeners.all, state.table)
        }
        for index in handles.indices {
            let worker = try Worker(
                index: index, handles: handles, snapshot: snapshot, routes: table, registry: registry, log: log)
            try NativeThread.start(name: "loop-\(index)") { [one = ended.one] in
                worker.run()
                one.yield()
            }
        }
        for listener in listeners { post(.listen(listener), toOwnerOf: listener) }
    }

    /// Uses this route table from now on. Call this method in the order of the tables.
    package func follow(_ table: RouteTable) {
        state.withLock { state in
            state.table = table
            guard state.isStarted else { return }
            for handle in handles { handle.follow(table) }
        }
    }

    /// Stops accepting, waits up to `grace` for sessions to end, closes the rest and stops the loops. Sessions at a
    /// transaction boundary get a closing message early, at their route's pace; the remaining sessions get one at the
    /// end if their protocol allows it.
    package func stop(grace: Duration) async {
        if !isHandedOver.load(ordering: .relaxed) {
            await stopAccepting()
            for listener in state.withLock({ $0.listeners.all }) { listener.removePath() }
        }
        if grace > .zero { tellAll(.shutDown) }
        await sessionsEnded(within: grace)
        if registry.count > 0 {
            log.notice("closing sessions that did not end", metadata: ["count": "\(registry.count)"])
            tellAll(.closeSessions)
            await lastWordsRead()
        }
        tellAll(.stop)
        await allWorkers(ended.stream)
    }

    /// Accepts the clients that wait in the accept queues, then closes the listeners.
    ///
    /// - Parameter ids: the identifiers of the listeners; `nil` is all.
    func stopAccepting(_ ids: Set<Int>? = nil) async {
        let (stopped, one) = AsyncStream.makeStream(of: Void.self)
        tellAll(.stopAccepting(ids) { one.yield() })
        await allWorkers(stopped)
    }

    private func post(_ message: WorkerMessage, toOwnerOf listener: OpenListener) {
        handles[listener.id % handles.count].mailbox.post(message)
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

    /// Waits a moment, so that clients can read their closing message and disconnect.
    private func lastWordsRead() async {
        let deadline = ContinuousClock.now + Self.timeForLastWords
        while registry.count > 0, ContinuousClock.now < deadline {
            do { try await Task.sleep(for: .milliseconds(5)) } catch { return }
        }
    }

    private static let timeForLastWords = Duration.milliseconds(250)

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

// MARK: - Another process

extension ProxyServer {
    /// The listening sockets with the names of their routes, to be passed to another process. This process keeps them
    /// too.
    package var listeningSockets: [(socket: Int32, route: String, hasChosenPort: Bool)] {
        state.withLock { state in
            state.listeners.all.compactMap { listener in
                listener.route.map { route in
                    (
                        listener.socket, state.snapshot.configuration.routes[route].name, listener.wanted.port == 0
                    )
                }
            }
        }
    }

    /// Call this when another process has taken over the listeners, and call ``stop(grace:)`` afterwards. Stops
    /// accepting, and closes sessions where that is safe, so that their clients reconnect to the other process.
    package func handOver() async {
        isHandedOver.store(true, ordering: .relaxed)
        await stopAccepting()
        tellAll(.handOver)
    }
}

// MARK: - Another configuration

/// A prepared configuration. Its listeners are open and clients wait in the accept queues.
package struct ProxyChange: Sendable {
    fileprivate let configuration: ProxyConfiguration
    fileprivate let former: OpenListeners
    fileprivate let listeners: OpenListeners
}

extension ProxyServer {
    /// Opens the additional listeners of another configuration. In it, routes and aliases must keep their positions.
    /// New ones must follow them, or take retired positions that no session uses. The number of workers does not
    /// change.
    ///
    /// Call ``commit(_:observer:publish:)`` or ``abandon(_:)`` before the next call.
    ///
    /// - Throws: ``OperationError``. Nothing has changed in that case.
    package func prepare(_ configuration: ProxyConfiguration) throws(OperationError) -> ProxyChange {
        let former = state.withLock { $0.listeners }
        return ProxyChange(
            configuration: configuration, former: former, listeners: try former.changed(to: configuration.routes))
    }

    /// Closes the listeners that were opened for the change.
    package func abandon(_ change: ProxyChange) { change.listeners.close(change.listeners.others(than: change.former)) }

    /// Serves the new configuration and closes the listeners that it does not use.
    ///
    /// - Parameters:
    ///   - observer: the observer from now on.
    ///   - publish: publishes the route table of the new configuration.
    package func commit(_ change: ProxyChange, observer: any ProxyObserver, publish: () -> Void) async {
        let snapshot = state.withLock { state in
            state = State(
                snapshot: ProxySnapshot(change.configuration, observer: observer, after: state.snapshot),
                listeners: change.listeners, table: state.table, isStarted: state.isStarted)
            return state.snapshot
        }
        registry.buffers.change(limit: change.configuration.maxBufferMemory)
        // Each mailbox keeps the order of messages, so a loop gets a route before it gets the route's clients.
        for handle in handles { handle.post(snapshot) }
        publish()
        let opened = Set(change.listeners.others(than: change.former).map(\.id))
        for listener in change.listeners.all {
            post(opened.contains(listener.id) ? .listen(listener) : .reassign(listener), toOwnerOf: listener)
        }
        let closed = change.former.others(than: change.listeners)
        guard !closed.isEmpty else { return }
        await stopAccepting(Set(closed.map(\.id)))
        for listener in closed { listener.removePath() }
    }
}

public import FailoverCore
import FailoverSystem
import Glibc
public import Logging
import Synchronization

/// The data plane: listeners and sessions on their event loops.
public final class ProxyServer: Sendable {
    private struct State {
        var lineup: Lineup
        var listeners: OpenListeners
    }

    private let board: RouteBoard
    private let log: Logger
    private let registry: SessionRegistry
    private let handles: [WorkerHandle]
    private let state: Lock<State>
    private let isHandedOver = Atomic<Bool>(false)
    private let ended: (stream: AsyncStream<Void>, one: AsyncStream<Void>.Continuation)

    /// Opens all listeners; clients wait in their queues until ``start()``.
    ///
    /// - Parameter received: listeners that are open already; those that no route wants are closed.
    /// - Throws: ``ListenError``, or a system call's failure; nothing stays open then.
    public init(
        configuration: ProxyConfiguration, board: RouteBoard, observer: any ProxyObserver, log: Logger,
        received: [ReceivedListener] = []
    ) throws {
        self.board = board
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
        state = Lock(State(lineup: Lineup(configuration, observer: observer), listeners: listeners))
    }

    /// Where each route listens, with the ports that the system chose.
    public var addresses: [[SocketAddress]] {
        state.withLock { $0.listeners.addresses(routes: $0.lineup.configuration.routes.count) }
    }

    /// Sessions of this moment.
    public var sessionCount: Int { registry.count }

    /// Bytes that sessions keep at this moment because a peer has no room for them.
    public var heldBytes: Int { registry.buffers.bytes }

    /// What sessions have done, once each loop has said so.
    public func trafficReport() async -> TrafficReport {
        await withCheckedContinuation { one in tellTraffic { one.resume(returning: $0) } }
    }

    /// What sessions have done; told once, by the loop that is the last to answer. Never, when one does not turn.
    package func tellTraffic(_ told: @escaping @Sendable (TrafficReport) -> Void) {
        let sum = TrafficReport(board.table)
        ask({ .report(askedAt: EventLoop.readClock(), $0) }) { reports in
            told(reports.reduce(into: sum) { $0.add($1) })
        }
    }

    /// The open sessions that are asked for, lowest numbers first.
    public func sessions(_ query: SessionQuery) async -> [SessionReport] {
        let sessions = await withCheckedContinuation { one in
            ask({ .sessions(query, $0) }) { one.resume(returning: $0.joined()) }
        }
        return Array(sessions.sorted { $0.id < $1.id }.prefix(query.limit))
    }

    /// Asks each loop.
    ///
    /// - Parameter all: told all answers, by the loop that is the last to answer.
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

    /// Closes the sessions of a route, or those of it that one alias serves, with words where the protocol has a place
    /// for them.
    public func closeSessions(ofRoute route: Int, alias: Int? = nil) { tellAll(.close(route: route, alias: alias)) }

    /// Sessions of each loop.
    var loads: [Int] { handles.map { $0.load.load(ordering: .relaxed) } }

    /// Starts the loops and accepts clients.
    public func start() throws {
        let (lineup, listeners) = state.withLock { ($0.lineup, $0.listeners.all) }
        for index in handles.indices {
            let worker = try Worker(
                index: index, handles: handles, lineup: lineup, routes: board.table, registry: registry, log: log)
            try NativeThread.start(name: "loop-\(index)") { [one = ended.one] in
                worker.run()
                one.yield()
            }
        }
        board.follow { [handles] table in
            for handle in handles { handle.mailbox.post(.routes(table)) }
        }
        for listener in listeners { post(.listen(listener), toOwnerOf: listener) }
    }

    /// Stops accepting, lets sessions end for `grace`, closes the rest and ends the loops. Sessions that stand at a boundary
    /// are told early, at their route's pace, and at the end all that can be told.
    public func stop(grace: Duration) async {
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

    /// Closes listeners, once the clients that wait in their queues are taken: those with these identifiers, or all.
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

    /// Gives clients a moment to read what they were told, and to leave.
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
    /// The listening sockets with the names of their routes, for another process. They stay this one's too.
    public var listeningSockets: [(socket: Int32, route: String, hasChosenPort: Bool)] {
        state.withLock { state in
            state.listeners.all.compactMap { listener in
                listener.route.map { route in
                    (
                        listener.socket, state.lineup.configuration.routes[route].name, listener.wanted.port == 0
                    )
                }
            }
        }
    }

    /// Another process has the listeners: accepts no more, and lets sessions come again where that is safe. To be
    /// followed by ``stop(grace:)``.
    public func handOver() async {
        isHandedOver.store(true, ordering: .relaxed)
        await stopAccepting()
        tellAll(.handOver)
    }
}

// MARK: - Another configuration

/// Another configuration, ready to be served: its listeners are open, clients wait in their queues.
public struct ProxyChange: Sendable {
    fileprivate let configuration: ProxyConfiguration
    fileprivate let former: OpenListeners
    fileprivate let listeners: OpenListeners
}

extension ProxyServer {
    /// Opens the listeners that another configuration needs beside those that are open. Routes and aliases keep their
    /// positions, new ones stand behind them; the number of workers stays as it is.
    ///
    /// To be followed by ``commit(_:aliases:routes:observer:)`` or ``abandon(_:)`` before the next.
    ///
    /// - Throws: ``ListenError``; nothing has changed then.
    public func prepare(_ configuration: ProxyConfiguration) throws(ListenError) -> ProxyChange {
        let former = state.withLock { $0.listeners }
        return ProxyChange(
            configuration: configuration, former: former, listeners: try former.changed(to: configuration.routes))
    }

    /// Closes what was opened for the change.
    public func abandon(_ change: ProxyChange) { change.listeners.close(change.listeners.others(than: change.former)) }

    /// Serves the other configuration, and closes the listeners that it does not have.
    ///
    /// - Parameters:
    ///   - aliases: what the route table has from now on.
    ///   - routes: likewise.
    ///   - observer: who is told from now on.
    public func commit(
        _ change: ProxyChange, aliases: [AliasState], routes: [Route], observer: any ProxyObserver
    ) async {
        let lineup = state.withLock { state in
            state = State(
                lineup: Lineup(change.configuration, observer: observer, after: state.lineup),
                listeners: change.listeners)
            return state.lineup
        }
        registry.buffers.change(limit: change.configuration.maxBufferMemory)
        // Each loop's mailbox keeps their order: a client of a new route never meets a loop that does not know it.
        tellAll(.lineup(lineup))
        board.change(aliases: aliases, routes: routes)
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

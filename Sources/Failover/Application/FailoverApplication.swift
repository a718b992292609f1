import FailoverChecks
import FailoverCore
import FailoverMetrics
import FailoverNotify
import FailoverProxy
import FailoverSystem
public import Logging
import Metrics
public import ServiceLifecycle

/// A configuration brought to life: every service monitored, every route served. Another configuration can take its
/// place while it runs: ``reload(_:)``.
public final class FailoverApplication: ServiceLifecycle.Service {
    let log: Logger
    let board: RouteBoard
    let proxy: ProxyServer
    let announcer = Announcer()
    let consequences: Consequences
    let factory: GenerationFactory
    let admin: ApplicationAdmin
    let plane = AdminPlane()
    /// What runs now.
    let current: Current<Generation>
    let reloads = ReloadQueue()
    /// Of the monitors, and of the notifiers.
    let monitoring = RunningTasks()
    let telling = RunningTasks()
    /// Of the admin plane, until it runs.
    private let firstAdmin: Lock<AdminPlane.Change?>
    private let place: Lock<DescriptorListener?>
    let predecessor: Predecessor?
    let tell: @Sendable (Lifecycle) -> Void

    /// How long clients wait in the listeners' queues for the first name look-up, which a dead name server may delay.
    private static let firstLookupLimit = Duration.seconds(2)

    /// How long events that wait for a notifier may delay the end of the process.
    private static let lastWordsLimit = Duration.seconds(5)

    /// Opens the listeners; nothing is pinged or accepted before ``run()``.
    ///
    /// - Parameters:
    ///   - source: where the admin plane's reload and ``reload()`` get another configuration from; without it there is
    ///     ``reload(_:)`` alone.
    ///   - inherited: what another process had open.
    ///   - tell: told how it goes.
    /// - Throws: an error whose description is one line for the operator; nothing stays open then.
    public init(
        _ configuration: Configuration, log: Logger, source: (@Sendable () throws -> Configuration)? = nil,
        inherited: Inheritance = Inheritance(), tell: @escaping @Sendable (Lifecycle) -> Void = { _ in }
    ) async throws {
        let checks = CheckFactory()
        let plan = RoutePlan(configuration)
        let board = RouteBoard(plan.table)
        let registry = PrometheusRegistry { log.warning("metrics: \($0)") }
        // Those of the program that embeds this have them too.
        let metrics = MultiplexMetricsHandler(factories: [registry, MetricsSystem.factory])
        let environment = MonitorEnvironment.ofThisProcess(log: log, metrics: metrics)
        let consequences = try Consequences(configuration, board: board)
        let factory = GenerationFactory(
            checks: checks, environment: environment, board: board, consequences: consequences, announcer: announcer)
        let first = factory.generation(configuration, plan: plan)
        // A predecessor still listens where only one can.
        let isFirst = inherited.predecessor == nil
        let served = try await plan.proxyConfiguration(
            resolver: checks.resolver, workers: configuration.workerThreads,
            maxBufferMemory: configuration.maxBufferMemory, hasPredecessor: !isFirst)
        let firstAdmin = try await plane.prepare(isFirst ? configuration.admin : nil)
        let proxy: ProxyServer
        do {
            place = Lock(isFirst ? try configuration.takeoverSocket.map(Self.offer) : nil)
            proxy = try ProxyServer(
                configuration: served, board: board, observer: first.observer(clock: environment.clock, log: log),
                log: log, received: inherited.listeners)
        } catch {
            await plane.abandon(firstAdmin)
            throw error
        }
        let current = Current(first)
        self.log = log
        self.board = board
        self.consequences = consequences
        self.factory = factory
        self.current = current
        self.proxy = proxy
        self.tell = tell
        predecessor = inherited.predecessor
        admin = ApplicationAdmin(
            current: { current.value }, board: board, proxy: proxy, consequences: consequences,
            environment: environment, events: announcer.events, registry: registry,
            reload: Self.reload(from: source, reloads))
        self.firstAdmin = Lock(firstAdmin)
        announcer.change(to: first.notifiers)
        factory.positions.change(sources: plan.primaries)
    }

    private static func reload(
        from source: (@Sendable () throws -> Configuration)?, _ reloads: ReloadQueue
    ) -> (@Sendable () async throws -> String)? {
        guard let source else { return nil }
        return { try await reloads.reload(try source()) }
    }

    /// Where each route listens, by name, with the ports that the system chose.
    public var addresses: [(route: String, addresses: [SocketAddress])] {
        zip(board.table.routes, proxy.addresses).filter { !$0.0.isRetired }.map { ($0.name, $1) }
    }

    /// Whether each event loop turns: has answered within two seconds. They do from ``run()`` on.
    public func isTurning() async -> Bool { await admin.traffic.report() != nil }

    /// Listens where another process may take this one's place.
    private static func offer(_ path: String) throws -> DescriptorListener {
        do {
            return try DescriptorListener(path)
        } catch {
            throw TakeoverError(words: "cannot listen on unix:\(path): \(error.words)")
        }
    }

    /// Serves until the surrounding `ServiceGroup` shuts down gracefully or another process takes its place, then lets
    /// sessions end. Called once.
    public func run() async throws {
        // So that the first clients find addresses.
        for (alias, found) in await addresses(of: board.table.aliases) { board.setAddresses(alias: alias, found) }
        let first = current.value
        for notifier in first.notifiers { start(notifier) }
        if let predecessor { resume(from: predecessor.offer) }
        for target in first.targets { start(target.monitor) }
        if predecessor == nil { await serversFound() } else { await firstAnswers() }
        try proxy.start()
        for (route, addresses) in addresses { noteListening(route, addresses) }
        if let predecessor { await finish(predecessor) }
        if let change = firstAdmin.withLock({ $0.take() }) { plane.commit(change, backend: admin) }
        noteAdminListening()
        admin.noteListening()
        let watching = Task { await admin.traffic.run() }
        let reloading = Task { await reloads.run { try await self.change(to: $0) } }
        tell(.serving)
        await untilTheEnd()
        reloads.finish()
        // One that is under way needs the loops.
        await reloading.value
        await stop(watching)
    }

    /// Waits until it is known of aliases that may be several servers which of them they are. A silent one keeps no other
    /// route waiting for long.
    private func serversFound() async {
        let clock = MonotonicClock()
        let found = Task { [targets = current.value.targets] in
            await Self.firstAnswers(of: targets.filter(\.mayBeSeveral))
        }
        _ = await Patience.value(of: found, until: clock.now.advanced(by: Self.firstLookupLimit), clock: clock)
    }

    /// Has the former process stop, and opens what could not be open in both.
    private func finish(_ predecessor: Predecessor) async {
        do {
            try await onThread { try predecessor.finish() }
            let configuration = current.value.configuration
            let change = try await plane.prepare(configuration.admin)
            firstAdmin.withLock { $0 = change }
            let listener = try configuration.takeoverSocket.map(Self.offer)
            place.withLock { $0 = listener }
            log.notice("took over from the former process")
        } catch {
            // Sessions are what counts.
            log.error("\(error)")
        }
    }

    /// Waits for a graceful shutdown, or until another process has this one's place.
    private func untilTheEnd() async {
        let listener = place.withLock { $0 }
        await withTaskGroup { group in
            group.addTask {
                try? await gracefulShutdown()
                return true
            }
            if let listener {
                group.addTask { await self.offerPlace(listener) }
            }
            // Who offers its place in vain goes on.
            for await isOver in group where isOver { break }
            listener?.stop()
            group.cancelAll()
        }
    }

    private func stop(_ watching: Task<Void, Never>) async {
        tell(.stopping)
        admin.noteStopping()
        let grace = current.value.configuration.shutdownGrace
        log.info("stopping", metadata: ["sessions": "\(proxy.sessionCount)", "grace": "\(grace.inWords)"])
        await proxy.stop(grace: grace)
        watching.cancel()
        await watching.value
        await plane.stop()
        await monitoring.endAll()
        for notifier in current.value.notifiers { notifier.finish() }
        let clock = MonotonicClock()
        let told = Task { await telling.finished() }
        _ = await Patience.value(of: told, until: clock.now.advanced(by: Self.lastWordsLimit), clock: clock)
        await telling.endAll()
    }

    /// Where aliases are, by position, as far as their names are found in time; all are looked up at once.
    ///
    /// - Parameter count: those before this position are known.
    func addresses(of aliases: [AliasState], after count: Int = 0) async -> [Int: [SocketAddress]] {
        await withTaskGroup(of: (Int, [SocketAddress]?).self) { group in
            // Which of several servers an alias is only a ping can tell.
            for (index, alias) in aliases.enumerated().dropFirst(count) where alias.alternatives.isEmpty {
                group.addTask { [resolver = factory.checks.resolver] in
                    (index, try? await resolver.addresses(of: alias.endpoint, limit: Self.firstLookupLimit))
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }
}

// MARK: - What runs

extension FailoverApplication {
    func start(_ monitor: MonitoredService) {
        monitoring.start(monitor) { await monitor.run() }
    }

    func start(_ notifier: NotifierQueue) {
        telling.start(notifier) { await notifier.run() }
    }

    func noteListening(_ route: String, _ addresses: [SocketAddress]) {
        log.info("\(route): listening", metadata: ["on": "\(addresses.map(\.description).joined(separator: ", "))"])
    }

    func noteAdminListening() {
        let addresses = plane.addresses
        guard !addresses.isEmpty else { return }
        log.info("administration: listening", metadata: ["on": "\(addresses.joined(separator: ", "))"])
    }
}

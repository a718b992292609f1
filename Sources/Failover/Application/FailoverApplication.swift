import FailoverChecks
import FailoverCore
import FailoverNotify
import FailoverProxy
import FailoverSystem
import FailoverTLS
import FailoverTelemetry
public import Logging
import Metrics
public import ServiceLifecycle

/// The whole proxy: it monitors every service of a configuration, and serves every route. ``reload(_:)`` replaces the
/// configuration while it runs.
public final class FailoverApplication: ServiceLifecycle.Service {
    let log: Logger
    let control: ControlPlane
    let proxy: ProxyServer
    let dispatcher = EventDispatcher()
    let writer: SettingsWriter
    let factory: RunningConfigurationFactory
    let admin: ApplicationAdmin
    let plane = AdminPlane()
    /// The configuration in effect.
    let current: Current<RunningConfiguration>
    let reloads = ReloadQueue()
    /// The tasks of the monitors and of the notifiers.
    let monitoring = RunningTasks()
    let telling = RunningTasks()
    private let exclusive: Lock<ExclusiveSockets>
    let began: MonotonicTime
    let predecessor: HandoverClient?
    /// The keys of session tickets. They stay the same in reloads, and a process that takes over receives them.
    let tickets: TicketKeys
    let tell: @Sendable (Lifecycle) -> Void

    /// Sockets that only one process can have open.
    private struct ExclusiveSockets {
        /// The listeners of the admin plane, until they answer requests.
        var admin: AdminPlane.Change?
        /// The `takeover_socket`.
        var takeover: DescriptorListener?
    }

    /// The time limit of the first name look-ups and pings. Until they end, clients wait in the queues of the
    /// listeners.
    private static let firstLookupLimit = Duration.seconds(2)

    /// After this time, the sessions of a predecessor are assumed to have ended.
    static let longestHandover = Duration.seconds(3600)

    /// How long the process waits at its end for events that notifiers have not delivered yet.
    private static let lastWordsLimit = Duration.seconds(5)

    /// Opens the listeners. No service is pinged and no client is accepted before ``run()``.
    ///
    /// - Parameters:
    ///   - source: returns new configurations for ``reload()`` and the admin plane. Without it, only ``reload(_:)``
    ///     works.
    ///   - inherited: the open sockets of another process, or of systemd; by default none.
    ///   - tell: receives each change of the application's state.
    /// - Throws: an error whose description is one line for the operator. No listener stays open in that case.
    public init(
        _ configuration: Configuration, log: Logger, source: (@Sendable () throws -> Configuration)? = nil,
        inherited: HandoverSockets = HandoverSockets(), tell: @escaping @Sendable (Lifecycle) -> Void = { _ in }
    ) async throws {
        let checks = CheckFactory()
        let plan = RoutePlan(configuration)
        let tickets = try TicketKeys(inherited.predecessor?.offer.tickets ?? [])
        let tls = try TLSContexts(plan, tickets: tickets)
        let registry = PrometheusRegistry { log.warning("metrics: \($0)") }
        // The metrics system of the program that embeds this application receives them too.
        let metrics = MultiplexMetricsHandler(factories: [registry, MetricsSystem.factory])
        let environment = MonitorEnvironment.ofThisProcess(log: log, metrics: metrics)
        let control = ControlPlane(plan.table, services: configuration.services, environment: environment)
        let writer = try SettingsWriter(path: configuration.settingsFile)
        let factory = RunningConfigurationFactory(
            checks: checks, environment: environment, control: control, writer: writer, dispatcher: dispatcher)
        let first = factory.make(configuration, plan: plan, tls: tls)
        // A predecessor still has the sockets that only one process can have open.
        let isFirst = inherited.predecessor == nil
        let served = try await plan.proxyConfiguration(
            resolver: checks.resolver, tls: tls, workers: configuration.workerThreads,
            maxBufferMemory: configuration.maxBufferMemory, hasPredecessor: !isFirst)
        let firstAdmin = try await plane.prepare(isFirst ? configuration.admin : nil)
        let proxy: ProxyServer
        do {
            exclusive = Lock(
                ExclusiveSockets(
                    admin: firstAdmin, takeover: isFirst ? try configuration.takeoverSocket.map(Self.offer) : nil))
            proxy = try ProxyServer(
                configuration: served, table: control.table,
                observer: first.observer(from: factory),
                log: log, received: inherited.listeners)
        } catch {
            await plane.abandon(firstAdmin)
            throw error
        }
        let current = Current(first)
        self.log = log
        self.control = control
        self.writer = writer
        self.factory = factory
        self.current = current
        self.proxy = proxy
        self.tell = tell
        began = environment.clock.now
        predecessor = inherited.predecessor
        self.tickets = tickets
        admin = ApplicationAdmin(
            current: { current.value }, control: control, proxy: proxy, environment: environment,
            events: dispatcher.events, registry: registry,
            reload: Self.reload(from: source, reloads))
        control.follow { [proxy] in proxy.follow($0) }
        dispatcher.change(to: first.notifiers)
        factory.positions.change(sources: plan.primaries)
    }

    private static func reload(
        from source: (@Sendable () throws -> Configuration)?, _ reloads: ReloadQueue
    ) -> (@Sendable () async throws -> String)? {
        guard let source else { return nil }
        return { try await reloads.reload(try source()) }
    }

    /// The addresses of each route's listeners, by name, with the ports that the system chose.
    public var addresses: [(route: String, addresses: [SocketAddress])] {
        zip(control.table.routes, proxy.addresses).filter { !$0.0.isRetired }.map { ($0.name, $1) }
    }

    /// Checks whether each event loop answers within two seconds. Loops answer while ``run()`` runs.
    public func isTurning() async -> Bool { await admin.traffic.report() != nil }

    /// Listens for a process that takes over from this one.
    private static func offer(_ path: String) throws -> DescriptorListener {
        do {
            return try DescriptorListener(path)
        } catch {
            throw OperationError.takeover("cannot listen on unix:\(path): \(error.message)")
        }
    }

    /// Serves until the surrounding `ServiceGroup` shuts down gracefully, or until another process takes over. Then it
    /// lets sessions end, for at most ``Configuration/shutdownGrace``. Call this once.
    public func run() async throws {
        // The first clients need known addresses.
        control.found(await addresses(of: control.table.aliases, at: Set(control.table.aliases.indices)))
        let first = current.value
        for notifier in first.notifiers { start(notifier) }
        if let predecessor { await resume(from: predecessor.offer) }
        for target in first.targets { start(target.monitor) }
        if predecessor == nil { await serversFound() } else { await firstAnswers() }
        try proxy.start()
        for (route, addresses) in addresses { noteListening(route, addresses) }
        if let predecessor { await finish(predecessor) }
        if let change = exclusive.withLock({ $0.admin.take() }) { plane.commit(change, backend: admin) }
        noteAdminListening()
        admin.noteListening()
        let watching = Task { await admin.traffic.run() }
        let reloading = Task { await reloads.run { try await self.change(to: $0) } }
        tell(.serving)
        await untilTheEnd()
        reloads.finish()
        // A reload in progress needs the event loops.
        await reloading.value
        await stop(watching)
    }

    /// Waits until the current server of each alias with several servers is known. A silent server does not delay
    /// other routes for long.
    private func serversFound() async {
        let clock = MonotonicClock()
        let found = Task { [targets = current.value.targets] in
            await Self.firstAnswers(of: targets.filter(\.mayBeSeveral))
        }
        _ = await Timeout.value(of: found, until: clock.now.advanced(by: Self.firstLookupLimit), clock: clock)
    }

    /// Makes the former process release the sockets that only one process can have, and opens them.
    private func finish(_ predecessor: HandoverClient) async {
        do {
            try await onThread { try predecessor.finish() }
            let configuration = current.value.configuration
            let change = try await plane.prepare(configuration.admin)
            exclusive.withLock { $0.admin = change }
            let listener = try configuration.takeoverSocket.map(Self.offer)
            exclusive.withLock { $0.takeover = listener }
            log.notice("took over from the former process")
        } catch {
            // This error must not stop the process, because it already serves sessions.
            log.error("\(error)")
        }
    }

    /// Waits for a graceful shutdown, or until another process has taken over.
    private func untilTheEnd() async {
        let listener = exclusive.withLock { $0.takeover }
        await withTaskGroup { group in
            group.addTask {
                try? await gracefulShutdown()
                return true
            }
            if let listener {
                group.addTask { await self.offerPlace(listener) }
            }
            // The end of the listener without a takeover does not end the wait.
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
        _ = await Timeout.value(of: told, until: clock.now.advanced(by: Self.lastWordsLimit), clock: clock)
        await telling.endAll()
    }

    /// The addresses of aliases, by position. All names are looked up at the same time. Aliases whose names do not
    /// resolve in time are left out.
    ///
    /// - Parameter positions: the aliases to look up.
    func addresses(of aliases: [AliasState], at positions: Set<Int>) async -> [Int: [SocketAddress]] {
        await withTaskGroup(of: (Int, [SocketAddress]?).self) { group in
            // Only a ping can find out which of several servers an alias is.
            for index in positions where aliases[index].alternatives.isEmpty {
                let alias = aliases[index]
                group.addTask { [resolver = factory.checks.resolver] in
                    (index, try? await resolver.addresses(of: alias.endpoint, limit: Self.firstLookupLimit))
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }
}

// MARK: - Tasks

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

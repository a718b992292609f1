import FailoverAdmin
import FailoverChecks
public import FailoverCore
import FailoverMetrics
import FailoverNotify
import FailoverProxy
public import Logging
import Metrics
public import ServiceLifecycle

/// A configuration brought to life: every service monitored, every route served.
public struct FailoverApplication: ServiceLifecycle.Service {
    private let monitors: [MonitoredService]
    private let notifiers: [NotifierQueue]
    private let proxy: ProxyServer
    private let board: RouteBoard
    private let resolver: NameResolver
    private let configuration: Configuration
    private let log: Logger
    private let admin: (server: AdminServer, backend: ApplicationAdmin)?
    private let whenStopping: @Sendable () -> Void

    /// How long clients wait in the listeners' queues for the first name look-up, which a dead name server may delay.
    private static let firstLookupLimit = Duration.seconds(2)

    /// How long events that wait for a notifier may delay the end of the process.
    private static let lastWordsLimit = Duration.seconds(5)

    /// Opens the listeners; nothing is pinged or accepted before ``run()``.
    ///
    /// - Parameter whenStopping: called once when a graceful shutdown begins, before sessions are waited for.
    /// - Throws: an error whose description is one line for the operator; nothing stays open then.
    public init(
        _ configuration: Configuration, log: Logger, whenStopping: @escaping @Sendable () -> Void = {}
    ) async throws {
        let checks = CheckFactory()
        let plan = RoutePlan(configuration)
        let board = RouteBoard(plan.table)
        let registry = PrometheusRegistry { log.warning("metrics: \($0)") }
        // Those of the program that embeds this have them too.
        let metrics: any MetricsFactory =
            configuration.admin == nil
            ? MetricsSystem.factory : MultiplexMetricsHandler(factories: [registry, MetricsSystem.factory])
        let environment = MonitorEnvironment.ofThisProcess(log: log, metrics: metrics)

        let notifiers = configuration.notifiers.map { $0.queue(threads: checks.threads, log: log, metrics: metrics) }
        let events = EventRing()
        let tell: @Sendable (FailoverEvent) -> Void = { event in
            for notifier in notifiers { notifier.offer(event) }
            events.add(AdminEvent(event))
        }
        let publisher = try SettingsPublisher(
            services: configuration.services.map(\.name), path: configuration.settingsFile)
        let consequences = configuration.services.map { service in
            Consequences(service, plan: plan, publisher: publisher, board: board)
        }
        let databases = plan.aliases.enumerated().map { index, alias in
            MonitoredService(
                service: ConsequentialService(
                    base: DatabaseAliasService(
                        name: alias.serviceName, settings: alias.database.monitor,
                        check: checks.check(of: alias.database.server), board: board, alias: index),
                    consequences: consequences.filter { plan.ownAlias(ofService: $0.service) == index }),
                environment: environment,
                currentAlias: { board.table.servingAlias(insteadOf: index) },
                onSuspicion: { board.setSuspect(alias: index, $0) }, onEvent: tell)
        }
        let others = zip(configuration.services, consequences).compactMap {
            service, consequence -> ApplicationAdmin.Target? in
            guard case .watched(let server, _) = service.kind, let base = service.watched(checks) else { return nil }
            let monitor = MonitoredService(
                service: ConsequentialService(base: base, consequences: [consequence]), environment: environment,
                onEvent: tell)
            return .init(monitor: monitor, type: server.typeName, location: server.location)
        }
        let targets =
            zip(plan.aliases, databases).map { alias, monitor in
                let server = alias.database.server
                return ApplicationAdmin.Target(
                    monitor: monitor, type: server.engine.rawValue, location: server.endpoint.description)
            } + others
        let observer = RouteObserver(
            monitors: databases, aliases: plan.table.routes.map(\.aliases),
            triggers: plan.routes.map(\.settings.errorTriggers), clock: environment.clock, log: log)

        self.configuration = configuration
        self.notifiers = notifiers
        self.log = log
        self.whenStopping = whenStopping
        self.board = board
        resolver = checks.resolver
        monitors = targets.map(\.monitor)
        let proxy = try ProxyServer(
            configuration: ProxyConfiguration(
                routes: try await plan.proxyRoutes(resolver: checks.resolver),
                aliasLimits: plan.aliases.map(\.database.maxConnections), workers: configuration.workerThreads),
            board: board, observer: observer, log: log)
        self.proxy = proxy
        admin = try await configuration.admin.asyncMap { settings in
            let backend = ApplicationAdmin(
                configuration: configuration, plan: plan, board: board, proxy: proxy, publisher: publisher,
                environment: environment, targets: targets, events: events, registry: registry)
            let server = try await AdminServer(
                listeners: settings.listen, access: AccessPolicy(token: settings.token))
            return (server, backend)
        }
    }

    /// Where each route listens, by name, with the ports that the system chose.
    public var addresses: [(route: String, addresses: [SocketAddress])] {
        zip(board.table.routes.map(\.name), proxy.addresses).map { ($0, $1) }
    }

    /// Serves until the surrounding `ServiceGroup` shuts down gracefully, then lets sessions end.
    public func run() async throws {
        await findAddresses()
        let telling = Task {
            await withDiscardingTaskGroup { group in
                for notifier in notifiers { group.addTask { await notifier.run() } }
            }
        }
        defer { telling.cancel() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for monitor in monitors { group.addTask { await monitor.run() } }
            try proxy.start()
            for (route, addresses) in addresses {
                log.info(
                    "\(route): listening", metadata: ["on": "\(addresses.map(\.description).joined(separator: ", "))"])
            }
            if let admin { start(admin, in: &group) }
            try? await gracefulShutdown()
            whenStopping()
            admin?.backend.noteStopping()
            log.info(
                "stopping",
                metadata: ["sessions": "\(proxy.sessionCount)", "grace": "\(configuration.shutdownGrace.inWords)"])
            await proxy.stop(grace: configuration.shutdownGrace)
            group.cancelAll()
        }
        for notifier in notifiers { notifier.finish() }
        let clock = MonotonicClock()
        _ = await Patience.value(of: telling, until: clock.now.advanced(by: Self.lastWordsLimit), clock: clock)
    }

    /// Looks all names up once, so that the first clients find addresses.
    private func findAddresses() async {
        await withDiscardingTaskGroup { group in
            for (index, alias) in board.table.aliases.enumerated() {
                group.addTask {
                    let found = try? await resolver.addresses(of: alias.endpoint, limit: Self.firstLookupLimit)
                    if let found { board.setAddresses(alias: index, found) }
                }
            }
        }
    }

    private func start(
        _ admin: (server: AdminServer, backend: ApplicationAdmin), in group: inout ThrowingTaskGroup<Void, any Error>
    ) {
        admin.backend.noteListening()
        log.info("administration: listening", metadata: ["on": "\(admin.server.addresses.joined(separator: ", "))"])
        group.addTask { await admin.server.run(admin.backend) }
        group.addTask { await admin.backend.watchTraffic() }
    }
}

extension Optional {
    /// `map` for a transform that has to wait.
    fileprivate func asyncMap<Result>(_ transform: (Wrapped) async throws -> Result) async rethrows -> Result? {
        if let self { try await transform(self) } else { nil }
    }
}

import FailoverChecks
import FailoverCore
import FailoverNotify
import FailoverProxy
import Logging

/// One configuration in operation: its monitors and its notifiers. A reload replaces it.
struct RunningConfiguration: Sendable {
    let configuration: Configuration
    let plan: RoutePlan
    let tls: TLSContexts
    /// The aliases, by position in the route table; `nil` for retired ones.
    let databases: [MonitoredTarget?]
    /// The services that move no route.
    let others: [MonitoredTarget]
    /// The queues of the notifiers, in the order of the configuration.
    let notifiers: [NotifierQueue]

    /// All monitored targets, the aliases of routes first.
    var targets: [MonitoredTarget] { databases.compactMap(\.self) + others }

    /// Whether this configuration uses the monitor of the target.
    func has(_ target: MonitoredTarget) -> Bool { targets.contains { $0.monitor === target.monitor } }

    /// Whether this configuration uses this queue.
    func has(_ notifier: NotifierQueue) -> Bool { notifiers.contains { $0 === notifier } }

    /// The observer that receives the events of sessions on these routes.
    func observer(from factory: RunningConfigurationFactory) -> RouteObserver {
        RouteObserver(
            monitors: databases.map { $0?.monitor }, aliases: plan.tableRoutes.map(\.aliases),
            triggers: plan.routes.map(\.settings.errorTriggers),
            ask: asker(factory.inquiry, factory.control), clock: factory.environment.clock,
            log: factory.environment.log)
    }

    /// Asks servers which sessions are at a transaction boundary, as the users of their pings. Retired aliases are
    /// asked too: their sessions must move.
    private func asker(_ inquiry: BoundaryInquiry, _ control: ControlPlane) -> @Sendable (BoundaryQuestion) -> Void {
        let databases = plan.aliases.map(\.database)
        return { question in
            guard databases.indices.contains(question.alias) else { return question.answer(.untold) }
            let (name, server) = (databases[question.alias].name, databases[question.alias].server)
            let table = control.table
            let endpoint = table.aliases.indices.contains(question.alias) ? table.aliases[question.alias].server : nil
            let current = endpoint.map(server.at) ?? server
            Task { await inquiry.ask(question, alias: name, server: current) }
        }
    }
}

/// Creates running configurations. Parts that a reload does not change are the same objects in both configurations.
struct RunningConfigurationFactory: Sendable {
    let checks: CheckFactory
    let environment: MonitorEnvironment
    let control: ControlPlane
    let writer: SettingsWriter
    let dispatcher: EventDispatcher
    let positions = PrimaryPositions()
    let inquiry: BoundaryInquiry

    init(
        checks: CheckFactory, environment: MonitorEnvironment, control: ControlPlane, writer: SettingsWriter,
        dispatcher: EventDispatcher
    ) {
        self.checks = checks
        self.environment = environment
        self.control = control
        self.writer = writer
        self.dispatcher = dispatcher
        inquiry = BoundaryInquiry(environment: environment, threads: checks.threads)
    }

    /// - Parameters:
    ///   - plan: the plan of the configuration. The control plane must use its positions when the result runs.
    ///   - tls: the TLS contexts of the plan.
    ///   - former: the configuration that is replaced.
    func make(
        _ configuration: Configuration, plan: RoutePlan, tls: TLSContexts, after former: RunningConfiguration? = nil
    ) -> RunningConfiguration {
        let known = former?.targets ?? []
        inquiry.provideMetrics(
            ofAliases: plan.aliases.filter { !$0.isRetired && $0.database.server.engine != .tcp }.map(\.database.name))
        // The pings of services with the same frequency are spread over the interval.
        let count = Double(plan.aliases.count + configuration.services.count)
        return RunningConfiguration(
            configuration: configuration, plan: plan, tls: tls,
            databases: plan.aliases.enumerated().map { index, alias in
                alias.isRetired ? nil : database(alias, index, known, phase: Double(index + 1) / count)
            },
            others: configuration.services.enumerated().compactMap { index, service in
                other(service, known, phase: Double(plan.aliases.count + index + 1) / count)
            },
            notifiers: notifiers(configuration, plan, former))
    }

    private func database(
        _ alias: RoutePlan.Alias, _ index: Int, _ known: [MonitoredTarget], phase: Double
    ) -> MonitoredTarget {
        let server = alias.database.server
        let origin = MonitoredTarget.Origin.alias(
            index, alias: alias.database.name, name: alias.serviceName, server: server, monitor: alias.database.monitor,
            services: alias.services)
        if let same = known.first(where: { $0.origin == origin }) { return same }
        let base = DatabaseAliasService(
            name: alias.serviceName, settings: alias.database.monitor, replication: server.replication,
            check: checks.check(of: server))
        let unit = ControlState.Unit(services: alias.services, member: alias.database.name, alias: index)
        let monitor = MonitoredService(
            service: ControlledService(base: base, unit: unit, control: control, writer: writer),
            environment: environment, owner: owner(of: alias.serviceName, at: index, phase: phase))
        return MonitoredTarget(
            origin: origin, monitor: monitor, type: server.engine.rawValue, location: server.place)
    }

    /// The owner of the alias's monitor, which updates the route table and sends events.
    private func owner(of name: String, at alias: Int, phase: Double) -> MonitorOwner {
        let serving = { @Sendable [control] in control.table.servingAlias(insteadOf: alias) }
        return MonitorOwner(
            currentAlias: serving, onFacts: { [control] in control.note($0, ofAlias: alias) },
            onMove: { [dispatcher, environment] former, server in
                dispatcher.tellMove(
                    of: name, from: former, to: server, at: environment.timeOfDay(), serving: serving())
            }, onEvent: dispatcher.tell, positions: positions.of(alias: alias), phase: phase)
    }

    private func other(
        _ service: ServiceConfiguration, _ known: [MonitoredTarget], phase: Double
    ) -> MonitoredTarget? {
        guard case .watched(let server, let settings) = service.kind else { return nil }
        let origin = MonitoredTarget.Origin.watched(
            name: service.name, server, settings, environment: service.failoverSettings)
        if let same = known.first(where: { $0.origin == origin }) { return same }
        let base = server.service(
            name: service.name, settings: settings, environment: service.failoverSettings, checks: checks)
        let monitor = MonitoredService(
            service: ControlledService(
                base: base, unit: ControlState.Unit(services: [service.name], member: service.name), control: control,
                writer: writer),
            environment: environment, owner: MonitorOwner(onEvent: dispatcher.tell, phase: phase))
        return MonitoredTarget(origin: origin, monitor: monitor, type: server.typeName, location: server.location)
    }

    private func notifiers(
        _ configuration: Configuration, _ plan: RoutePlan, _ former: RunningConfiguration?
    ) -> [NotifierQueue] {
        var known =
            former.map { former in
                Array(zip(former.configuration.notifiers.map { $0.knowing(former.plan) }, former.notifiers))
            } ?? []
        return configuration.notifiers.map { $0.knowing(plan) }.map { notifier in
            if let index = known.firstIndex(where: { $0.0 == notifier }) { return known.remove(at: index).1 }
            return notifier.queue(threads: checks.threads, log: environment.log, metrics: environment.metrics)
        }
    }
}

/// A monitored service, with a description for the operator.
struct MonitoredTarget: Sendable {
    /// The part of the configuration from which the target was created.
    enum Origin: Hashable {
        /// A database alias at a position of the route table, and the services that have it in `db_alias`.
        case alias(
            Int, alias: String, name: String, server: DatabaseServer, monitor: MonitorSettings, services: [String])
        case watched(name: String, WatchedServer, MonitorSettings, environment: [String: String])
    }

    let origin: Origin
    let monitor: MonitoredService
    /// The `type` in the configuration, or the engine.
    let type: String
    let location: String

    /// The unit whose outages have effects.
    var unit: ControlState.Unit {
        switch origin {
        case .alias(let index, let alias, _, _, _, let services):
            ControlState.Unit(services: services, member: alias, alias: index)
        case .watched(let name, _, _, _): ControlState.Unit(services: [name], member: name)
        }
    }

    /// Whether the target has alternative servers, so that only a ping can find out the current one.
    var mayBeSeveral: Bool {
        if case .alias(_, _, _, let server, _, _) = origin { !server.alternatives.isEmpty } else { false }
    }

    /// Whether this target continues with the state of the other one: both monitor the same service, perhaps with
    /// different settings.
    func continues(_ other: MonitoredTarget) -> Bool {
        switch (origin, other.origin) {
        case (.alias(let index, _, _, _, _, _), .alias(let otherIndex, _, _, _, _, _)): index == otherIndex
        case (.watched(let name, let server, _, _), .watched(let otherName, let otherServer, _, _)):
            name == otherName && server.typeName == otherServer.typeName && location == other.location
        default: false
        }
    }
}

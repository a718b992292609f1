import FailoverChecks
import FailoverCore
import FailoverNotify

/// Makes generations. What did not change from one to the next is the same object in both.
struct GenerationFactory: Sendable {
    let checks: CheckFactory
    let environment: MonitorEnvironment
    let board: RouteBoard
    let consequences: Consequences
    let announcer: Announcer
    let positions = PrimaryPositions()

    /// - Parameters:
    ///   - plan: the configuration's; its positions are those of the board when what this makes is run.
    ///   - former: the generation whose place it takes.
    func generation(
        _ configuration: Configuration, plan: RoutePlan, after former: Generation? = nil
    ) -> Generation {
        let known = former?.targets ?? []
        return Generation(
            configuration: configuration, plan: plan,
            databases: plan.aliases.enumerated().map { index, alias in
                alias.isRetired ? nil : database(alias, index, known)
            },
            others: configuration.services.compactMap { other($0, known) },
            notifiers: notifiers(configuration, plan, former))
    }

    private func database(
        _ alias: RoutePlan.Alias, _ index: Int, _ known: [MonitoredTarget]
    ) -> MonitoredTarget {
        let server = alias.database.server
        let origin = MonitoredTarget.Origin.alias(
            index, alias: alias.database.name, name: alias.serviceName, server: server, monitor: alias.database.monitor,
            services: alias.services)
        if let same = known.first(where: { $0.origin == origin }) { return same }
        let told = AliasAnnouncer(
            name: alias.serviceName, alias: index, board: board, environment: environment, announcer: announcer)
        let check = checks.check(of: server, at: positions.place(ofAlias: index))
        let base = DatabaseAliasService(
            name: alias.serviceName, settings: alias.database.monitor, check: check, board: board, alias: index,
            onStaleness: told.tellFreshness, onMove: told.tellMove)
        let monitor = MonitoredService(
            service: ConsequentialService(
                base: base, names: alias.services, member: alias.database.name, consequences: consequences),
            environment: environment,
            currentAlias: { [board] in board.table.servingAlias(insteadOf: index) },
            onStanding: { [board] in board.setStanding(alias: index, $0) }, onEvent: announcer.tell)
        return MonitoredTarget(
            origin: origin, monitor: monitor, type: server.engine.rawValue, location: server.place,
            lag: { check.lag })
    }

    private func other(_ service: ServiceConfiguration, _ known: [MonitoredTarget]) -> MonitoredTarget? {
        guard case .watched(let server, let settings) = service.kind else { return nil }
        let origin = MonitoredTarget.Origin.watched(
            name: service.name, server, settings, environment: service.failoverSettings)
        if let same = known.first(where: { $0.origin == origin }) { return same }
        let base = server.service(
            name: service.name, settings: settings, environment: service.failoverSettings, checks: checks)
        let monitor = MonitoredService(
            service: ConsequentialService(
                base: base, names: [service.name], member: service.name, consequences: consequences),
            environment: environment, onEvent: announcer.tell)
        return MonitoredTarget(origin: origin, monitor: monitor, type: server.typeName, location: server.location)
    }

    private func notifiers(
        _ configuration: Configuration, _ plan: RoutePlan, _ former: Generation?
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

import FailoverChecks
import FailoverCore
import FailoverNotify
import FailoverProxy
import Logging

extension FailoverApplication {
    /// Lets another configuration take the present one's place, all of it or nothing.
    ///
    /// What did not change is not touched: sessions stay, and so do the states and streaks of services. New listeners
    /// open before old ones close. Sessions of aliases that it no longer has move away where it is safe; sessions of
    /// routes that it no longer has are served until they end. Waits while another reload is under way, and for
    /// ``run()``.
    ///
    /// - Returns: what changed, in a line.
    /// - Throws: an error whose description is one line for the operator; nothing has changed then.
    @discardableResult
    public func reload(_ configuration: Configuration) async throws -> String {
        try await reloads.reload(configuration)
    }

    /// The same from the source that ``init(_:log:source:inherited:tell:)`` was given, as the admin plane does it: logged,
    /// and told in its events and metrics.
    public func reload() async { _ = try? await admin.reload() }

    func change(to configuration: Configuration) async throws -> String {
        let former = current.value
        try Self.mayFollow(configuration, former.configuration)
        guard configuration != former.configuration else { return "nothing has changed" }
        let plan = RoutePlan(configuration, after: former.plan)
        let next = factory.generation(configuration, plan: plan, after: former)
        let states = await found(plan.aliasStates, after: former.plan.aliases.count)

        let proxyChange = try proxy.prepare(
            try await plan.proxyConfiguration(
                resolver: factory.checks.resolver, workers: configuration.workerThreads,
                maxBufferMemory: configuration.maxBufferMemory, hasPredecessor: predecessor != nil))
        let planeChange: AdminPlane.Change
        do {
            planeChange = try await plane.prepare(configuration.admin)
        } catch {
            proxy.abandon(proxyChange)
            throw error
        }
        do {
            try consequences.prepare(configuration)
        } catch {
            proxy.abandon(proxyChange)
            await plane.abandon(planeChange)
            throw error
        }

        // Nothing fails from here on.
        let continued = await end(former, before: next)
        await proxy.commit(
            proxyChange, aliases: states, routes: plan.tableRoutes,
            observer: next.observer(clock: factory.environment.clock, log: log))
        current.change(to: next)
        announcer.change(to: next.notifiers)
        factory.positions.change(sources: plan.primaries)
        follow(next, after: former, continued: continued)
        plane.commit(planeChange, backend: admin)
        noteNewListeners(next, former)
        tell(.reloaded(configuration))
        return ConfigurationChange(from: former.configuration, to: configuration).words
    }

    /// What only another process can have.
    private static func mayFollow(_ configuration: Configuration, _ former: Configuration) throws(ReloadError) {
        guard configuration.workerThreads == former.workerThreads else {
            throw ReloadError(
                words: "worker_threads cannot change from \(former.workerThreads) to \(configuration.workerThreads) "
                    + "without a restart")
        }
        guard configuration.takeoverSocket == former.takeoverSocket else {
            throw ReloadError(words: "takeover_socket cannot change without a restart")
        }
        guard configuration.log.format == former.log.format else {
            throw ReloadError(words: "log.format cannot change without a restart")
        }
    }

    /// The states with the addresses of those that are new.
    private func found(_ states: [AliasState], after count: Int) async -> [AliasState] {
        var states = states
        for (index, addresses) in await addresses(of: states, after: count) {
            let state = states[index]
            states[index] = AliasState(
                name: state.name, endpoint: state.endpoint, alternatives: state.alternatives, addresses: addresses,
                isRetired: state.isRetired)
        }
        return states
    }

    /// Ends the monitoring of what is not monitored in the same way from now on. What is known of a service goes on under
    /// its new settings.
    ///
    /// - Returns: those that go on so.
    private func end(_ former: Generation, before next: Generation) async -> [MonitoredTarget] {
        var continued: [MonitoredTarget] = []
        for target in former.targets where !next.has(target) {
            await monitoring.end(target.monitor)
            guard let successor = next.targets.first(where: { $0.continues(target) }) else { continue }
            successor.monitor.resume(from: target.monitor)
            continued.append(successor)
        }
        return continued
    }

    private func follow(_ next: Generation, after former: Generation, continued: [MonitoredTarget]) {
        let known = next.targets.filter { target in
            former.has(target) || continued.contains { $0.monitor === target.monitor }
        }
        do {
            try consequences.change(
                to: next.configuration,
                down: known.filter { !$0.monitor.status.isUp }.flatMap { target in
                    target.services.map { ($0, target.member) }
                })
        } catch {
            log.error("reload: \(error)")
        }
        for target in next.targets where !former.has(target) { start(target.monitor) }
        for notifier in next.notifiers where !former.has(notifier) { start(notifier) }
        for notifier in former.notifiers where !next.has(notifier) {
            // Tells what it was given, in its own time.
            notifier.finish()
            if !next.notifiers.contains(where: { $0.name == notifier.name }) { notifier.forgetMeasurements() }
        }
        for target in former.targets {
            let name = target.monitor.service.name
            let isGone = !next.targets.contains { $0.monitor.service.name == name }
            if isGone { target.monitor.forgetMeasurements() }
        }
    }

    private func noteNewListeners(_ next: Generation, _ former: Generation) {
        for (route, addresses) in addresses {
            let settings = next.configuration.service(named: route)?.kind
            if settings?.listen != former.configuration.service(named: route)?.kind.listen {
                noteListening(route, addresses)
            }
        }
        if next.configuration.admin?.listen != former.configuration.admin?.listen { noteAdminListening() }
    }
}

extension ServiceConfiguration.Kind {
    /// Where a route listens.
    fileprivate var listen: [Endpoint]? {
        if case .database(let route) = self { route.listen } else { nil }
    }
}

import FailoverChecks
import FailoverCore
import FailoverNotify
import FailoverProxy
import Logging

extension FailoverApplication {
    /// Replaces the current configuration with another one. The change happens completely or not at all.
    ///
    /// Parts that are the same in both configurations continue: sessions stay open, and services keep their states and
    /// their counts of pings in a row. New listeners open before old ones close. Sessions of removed aliases move to
    /// other aliases at transaction boundaries. Sessions of removed routes are served until they end. The call waits
    /// for a reload in progress, and for ``run()``.
    ///
    /// - Returns: what changed, on one line.
    /// - Throws: an error whose description is one line for the operator. Nothing has changed in that case.
    @discardableResult
    public func reload(_ configuration: Configuration) async throws -> String {
        try await reloads.reload(configuration)
    }

    /// Reloads from the source that ``init(_:log:source:inherited:tell:)`` received, as the admin plane does. The log,
    /// the events and the metrics show the result.
    public func reload() async { _ = try? await admin.reload() }

    func change(to configuration: Configuration) async throws -> String {
        let former = current.value
        try Self.mayFollow(configuration, former.configuration)
        let plan = RoutePlan(configuration, after: former.plan, used: await usedPositions())
        let tls = try TLSContexts(plan, tickets: tickets, after: former.tls)
        let renewed = tls.changes(since: former.tls)
        guard configuration != former.configuration || !renewed.isEmpty else { return "nothing has changed" }
        let added = plan.newPositions(after: former.plan)
        let next = factory.make(configuration, plan: plan, tls: tls, after: former)
        let states = await found(plan.aliasStates, added: added.aliases)

        let proxyChange = try proxy.prepare(
            try await plan.proxyConfiguration(
                resolver: factory.checks.resolver, tls: tls, workers: configuration.workerThreads,
                maxBufferMemory: configuration.maxBufferMemory, hasPredecessor: predecessor != nil))
        let planeChange: AdminPlane.Change
        do {
            planeChange = try await plane.prepare(configuration.admin)
        } catch {
            proxy.abandon(proxyChange)
            throw error
        }
        do {
            try await writer.prepare(path: configuration.settingsFile)
        } catch {
            proxy.abandon(proxyChange)
            await plane.abandon(planeChange)
            throw error
        }

        // No step fails from here on.
        let continued = await end(former, before: next)
        await proxy.commit(proxyChange, observer: next.observer(from: factory)) {
            control.reconfigure(aliases: states, routes: plan.tableRoutes)
        }
        current.change(to: next)
        dispatcher.change(to: next.notifiers)
        factory.positions.change(sources: plan.primaries, added: added.aliases)
        admin.forgetTraffic(ofRoutes: added.routes)
        await follow(next, after: former, continued: continued)
        plane.commit(planeChange, backend: admin)
        noteNewListeners(next, former)
        tell(.reloaded(configuration))
        return ConfigurationChange(from: former.configuration, to: configuration, files: renewed).message
    }

    /// The positions that no other route or alias may take, because sessions use them; `nil` if that is unknown.
    private func usedPositions() async -> RouteTable.Positions? {
        // Sessions of a predecessor may use any alias, and their cancel requests go to the addresses of retired aliases
        // too.
        guard predecessor == nil || began.duration(to: factory.environment.clock.now) > Self.longestHandover else {
            return nil
        }
        return await proxy.usedPositions()
    }

    /// Refuses changes that only a new process can apply.
    private static func mayFollow(_ configuration: Configuration, _ former: Configuration) throws(OperationError) {
        guard configuration.workerThreads == former.workerThreads else {
            throw OperationError(
                .reload,
                "worker_threads cannot change from \(former.workerThreads) to \(configuration.workerThreads) "
                    + "without a restart")
        }
        guard configuration.takeoverSocket == former.takeoverSocket else {
            throw OperationError(.reload, "takeover_socket cannot change without a restart")
        }
        guard configuration.log.format == former.log.format else {
            throw OperationError(.reload, "log.format cannot change without a restart")
        }
    }

    /// Looks up the addresses of new aliases, and returns the states with them.
    private func found(_ states: [AliasState], added: Set<Int>) async -> [AliasState] {
        var states = states
        for (index, addresses) in await addresses(of: states, at: added) {
            let state = states[index]
            states[index] = AliasState(
                name: state.name, endpoint: state.endpoint, alternatives: state.alternatives, addresses: addresses,
                isRetired: state.isRetired)
        }
        return states
    }

    /// Stops the monitors that the next configuration does not use. If that configuration monitors the same service
    /// with other settings, the new monitor continues with the state.
    ///
    /// - Returns: the new targets that continue with a state.
    private func end(_ former: RunningConfiguration, before next: RunningConfiguration) async -> [MonitoredTarget] {
        var continued: [MonitoredTarget] = []
        for target in former.targets where !next.has(target) {
            await monitoring.end(target.monitor)
            guard let successor = next.targets.first(where: { $0.continues(target) }) else { continue }
            successor.monitor.resume(from: target.monitor)
            continued.append(successor)
        }
        return continued
    }

    private func follow(_ next: RunningConfiguration, after former: RunningConfiguration, continued: [MonitoredTarget])
        async
    {
        let known = next.targets.filter { target in
            former.has(target) || continued.contains { $0.monitor === target.monitor }
        }
        control.reconfigure(
            services: next.configuration.services,
            down: known.filter { !$0.monitor.status.isUp }.map(\.unit).flatMap { unit in
                unit.services.map { ($0, unit.member) }
            })
        do {
            try await writer.move(to: next.configuration.settingsFile, control.settings)
        } catch {
            log.error("reload: \(error)")
        }
        for target in next.targets where !former.has(target) { start(target.monitor) }
        for notifier in next.notifiers where !former.has(notifier) { start(notifier) }
        for notifier in former.notifiers where !next.has(notifier) {
            // It still delivers the events in its queue. The reload does not wait for that.
            notifier.finish()
            if !next.notifiers.contains(where: { $0.name == notifier.name }) { notifier.forgetMeasurements() }
        }
        for target in former.targets {
            let name = target.monitor.service.name
            let isGone = !next.targets.contains { $0.monitor.service.name == name }
            if isGone { target.monitor.forgetMeasurements() }
        }
    }

    private func noteNewListeners(_ next: RunningConfiguration, _ former: RunningConfiguration) {
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
    /// The addresses that a route listens on.
    fileprivate var listen: [Endpoint]? {
        if case .database(let route) = self { route.listen } else { nil }
    }
}

/// The differences between two configurations, as text.
struct ConfigurationChange: Hashable, Sendable {
    /// One text per difference: `slave added`, `cache changed`, `notifiers changed`.
    let parts: [String]

    /// - Parameter files: the changes of files that the configuration names; by default none.
    init(from former: Configuration, to next: Configuration, files: [String] = []) {
        var parts = Self.differences(
            former.services.map { ($0.name, $0) }, next.services.map { ($0.name, $0) }, prefix: "")
        parts += Self.differences(
            former.databases.map { ($0.name, $0) }, next.databases.map { ($0.name, $0) }, prefix: "alias ")
        let others: [(String, Bool)] = [
            ("notifiers", former.notifiers != next.notifiers),
            ("settings_file", former.settingsFile != next.settingsFile),
            ("admin", former.admin != next.admin),
            ("shutdown_grace", former.shutdownGrace != next.shutdownGrace),
            ("log", former.log != next.log),
        ]
        parts += others.filter(\.1).map { "\($0.0) changed" }
        self.parts = parts + files
    }

    /// All differences on one line.
    var message: String { parts.isEmpty ? "nothing has changed" : parts.joined(separator: ", ") }

    private static func differences<Value: Hashable>(
        _ former: [(String, Value)], _ next: [(String, Value)], prefix: String
    ) -> [String] {
        let before = Dictionary(former, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(next, uniquingKeysWith: { first, _ in first })
        let added = next.filter { before[$0.0] == nil }.map { "\(prefix)\($0.0) added" }
        let changed = next.filter { name, value in before[name].map { $0 != value } ?? false }
            .map { "\(prefix)\($0.0) changed" }
        let removed = former.filter { after[$0.0] == nil }.map { "\(prefix)\($0.0) removed" }
        return added + changed + removed
    }
}

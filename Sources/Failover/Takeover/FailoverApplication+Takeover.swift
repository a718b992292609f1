import FailoverChecks
import FailoverCore
import FailoverProxy
import FailoverSystem
import FailoverTLS
import Logging

// MARK: - The former process

extension FailoverApplication {
    /// How long another process may take to send its request.
    private static let timeout = Duration.seconds(5)
    /// How long it may take until it serves. It pings all services first.
    private static let longTimeout = Duration.seconds(120)

    /// Waits until another process has taken over or the listener is stopped.
    ///
    /// - Returns: whether another process has taken over.
    func offerPlace(_ listener: DescriptorListener) async -> Bool {
        while let channel = await onThread({ listener.next() }) ?? nil {
            do {
                try await handOver(channel, listener)
                return true
            } catch {
                log.warning("another process did not take over", metadata: ["error": "\(error)"])
            }
        }
        return false
    }

    private func handOver(_ channel: DescriptorChannel, _ listener: DescriptorListener) async throws {
        let offer = offer
        let sockets = proxy.listeningSockets.map(\.socket)
        let state = try offer.bytes(atMost: DescriptorChannel.mostBytes)
        let isDone = try await onThread { () throws in
            guard channel.isOfSameUser else {
                throw OperationError.takeover("the other process belongs to another user")
            }
            guard try channel.receive(within: Self.timeout)?.bytes == TakeoverWord.ask else {
                throw OperationError.takeover("the other process sent no valid request")
            }
            try channel.send(state, descriptors: sockets)
            return try channel.receive(within: Self.longTimeout)?.bytes == TakeoverWord.done
        }
        guard isDone else { throw OperationError.takeover("the other process ended before it served") }
        log.notice("another process takes over")
        dispatcher.change(to: [])
        await writer.leave()
        control.endDrills(because: "another process takes over")
        await proxy.handOver()
        await plane.stop()
        listener.stop()
        try? channel.send(TakeoverWord.released)
        // The other process monitors the services now.
        await monitoring.endAll()
    }

    private var offer: HandoverState {
        let state = control.state
        let table = state.table
        let reports = current.value.targets.map(\.monitor.report)
        let now = factory.environment.timeOfDay()
        return HandoverState(
            listeners: proxy.listeningSockets.map { .init(route: $0.route, hasChosenPort: $0.hasChosenPort) },
            pins: table.routes.indices.compactMap { route in
                table.pin(ofRoute: route).map { alias in
                    HandoverState.Pin(
                        route: table.routes[route].name, alias: table.aliases[alias].name,
                        until: state.pinEnd(ofRoute: route).map { $0.sinceEpoch / .seconds(1) })
                }
            },
            drained: table.aliases.filter { $0.isDraining && !$0.isRetired }.map(\.name),
            outages: reports.compactMap { report in
                guard case .down(let failure, _) = report.status.verdict else { return nil }
                return .init(service: report.name, since: report.since, failure: failure)
            },
            degraded: reports.compactMap { report in
                guard let failure = report.status.standing.refusal, let lasting = report.status.degradedFor else {
                    return nil
                }
                return .init(service: report.name, since: now.before(lasting), failure: failure)
            },
            aliases: table.aliases.filter { !$0.isRetired }.compactMap(HandoverState.Alias.init),
            ticketKeys: tickets.exported.map(HandoverState.Ticket.init))
    }
}

// MARK: - The new process

extension FailoverApplication {
    /// Restores the state of the former process.
    func resume(from state: HandoverState) async {
        for alias in state.aliases ?? [] { resume(alias) }
        for outage in state.outages {
            guard let target = target(of: outage) else { continue }
            let failure = outage.failure.failure
            target.monitor.resumeOutage(since: outage.begin, because: failure)
            control.outage(failure, of: target.unit)
        }
        do { try await writer.write(control.settingsVersion) { [control] in control.settings } } catch {
            log.error("\(error)")
        }
        for refusal in state.degraded ?? [] {
            target(of: refusal)?.monitor.resumeRefusal(since: refusal.begin, because: refusal.failure.failure)
        }
        let now = factory.environment.timeOfDay()
        for pin in state.pins where !pin.isOver(at: now) {
            _ = try? admin.switch(route: pin.route, to: pin.alias, for: pin.rest(at: now))
        }
        // Aliases are drained after the switches: a route cannot be switched to a drained alias, but an existing switch
        // to it remains.
        for alias in state.drained { _ = try? admin.drain(alias: alias) }
    }

    private func target(of outage: HandoverState.Outage) -> MonitoredTarget? {
        current.value.targets.first { $0.monitor.service.name == outage.service }
    }

    /// Restores what is known about an alias. Addresses that this process has already found take precedence.
    private func resume(_ known: HandoverState.Alias) {
        let table = control.table
        guard let index = table.aliases.firstIndex(where: { !$0.isRetired && known.isOf($0) }),
            let target = current.value.databases[index]
        else { return }
        let alias = table.aliases[index]
        let places = known.places
        let server = ([alias.endpoint] + alias.alternatives).first { $0.description == known.server }
        if !places.isEmpty { factory.checks.resolver.remember(places, of: server ?? alias.endpoint) }
        let isFound = places.isEmpty || !alias.addresses.isEmpty
        target.monitor.resume(
            AliasFacts(
                place: isFound ? nil : ServerLocation(places, server: server, isTested: true),
                staleness: known.lag?.staleness, mustNotServe: known.mustNotServe))
    }

    /// Waits for the first answers of all services, for at most twice the time limit of a ping. Outages must be known
    /// before the first client is served.
    func firstAnswers() async { await Self.firstAnswers(of: current.value.targets) }

    static func firstAnswers(of targets: [MonitoredTarget]) async {
        await withDiscardingTaskGroup { group in
            for target in targets { group.addTask { await target.monitor.firstAnswer() } }
        }
    }

    /// Runs work on a thread that may block; `nil` if no thread can be started.
    func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value? {
        try? await factory.checks.threads.run { () throws(PingFailure) in work() }
    }

    /// Runs work that throws on a thread that may block.
    func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await factory.checks.threads.run { () throws(PingFailure) in Result { try work() } }.get()
    }
}

import FailoverChecks
import FailoverCore
import FailoverProxy
import FailoverSystem
import Logging

// MARK: - The process whose place is taken

extension FailoverApplication {
    /// How long another process may ask, and how long it may take until it serves: it pings everything first.
    private static let patience = Duration.seconds(5)
    private static let longPatience = Duration.seconds(120)

    /// Waits until another process has this one's place, or until the listener is stopped.
    ///
    /// - Returns: whether it has.
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
        let words = try offer.bytes(atMost: DescriptorChannel.mostBytes)
        let isDone = try await onThread { () throws in
            guard channel.isOfSameUser else { throw TakeoverError(words: "it belongs to another user") }
            guard try channel.receive(within: Self.patience)?.bytes == TakeoverWord.ask else {
                throw TakeoverError(words: "it does not know how")
            }
            try channel.send(words, descriptors: sockets)
            return try channel.receive(within: Self.longPatience)?.bytes == TakeoverWord.done
        }
        guard isDone else { throw TakeoverError(words: "it ended before it served") }
        log.notice("another process takes over")
        announcer.change(to: [])
        consequences.leave()
        admin.drills.endAll(because: "another process takes over")
        await proxy.handOver()
        await plane.stop()
        listener.stop()
        try? channel.send(TakeoverWord.released)
        // Whoever watches is the other.
        await monitoring.endAll()
    }

    private var offer: TakeoverOffer {
        let table = board.table
        let reports = current.value.targets.map(\.monitor.report)
        let now = factory.environment.timeOfDay()
        return TakeoverOffer(
            listeners: proxy.listeningSockets.map { .init(route: $0.route, hasChosenPort: $0.hasChosenPort) },
            pins: table.routes.indices.compactMap { route in
                table.pin(ofRoute: route).map { alias in
                    TakeoverOffer.Pin(
                        route: table.routes[route].name, alias: table.aliases[alias].name,
                        until: admin.pins.until(route: route).map { $0.sinceEpoch / .seconds(1) })
                }
            },
            drained: table.aliases.filter { $0.isDraining && !$0.isRetired }.map(\.name),
            outages: reports.compactMap { report in
                guard case .down(let failure, _) = report.status.verdict else { return nil }
                return .init(service: report.name, since: report.since.sinceEpoch / .seconds(1), failure: failure)
            },
            degraded: reports.compactMap { report in
                guard let failure = report.status.standing.refusal, let lasting = report.status.degradedFor else {
                    return nil
                }
                return .init(
                    service: report.name, since: now.before(lasting).sinceEpoch / .seconds(1), failure: failure)
            },
            aliases: table.aliases.filter { !$0.isRetired }.compactMap(TakeoverOffer.Alias.init))
    }
}

// MARK: - The process that takes it

extension FailoverApplication {
    /// Knows what the former process knew.
    func resume(from offer: TakeoverOffer) {
        for alias in offer.aliases ?? [] { resume(alias) }
        for outage in offer.outages {
            guard let target = target(of: outage) else { continue }
            var hasToAnswer = false
            if case .alias(let alias, _, _, _, _, _) = target.origin {
                board.markDown(alias: alias, because: outage.failure)
                // 0.1.0 tells the latest reason alone.
                if outage.failure.reason.isOfRole { board.setMustNotServe(alias: alias, true) }
                hasToAnswer = board.table.aliases[alias].mustNotServe
            }
            target.monitor.resumeOutage(since: outage.begin, because: outage.failure, hasToAnswer: hasToAnswer)
            for service in target.services {
                do { try consequences.begin(service, member: target.member) } catch { log.error("\(error)") }
            }
        }
        for refusal in offer.degraded ?? [] {
            target(of: refusal)?.monitor.resumeRefusal(since: refusal.begin, because: refusal.failure)
        }
        for alias in offer.drained { _ = try? admin.drain(alias: alias) }
        let now = factory.environment.timeOfDay()
        for pin in offer.pins where !pin.isOver(at: now) {
            _ = try? admin.switch(route: pin.route, to: pin.alias, for: pin.rest(at: now))
        }
    }

    private func target(of outage: TakeoverOffer.Outage) -> MonitoredTarget? {
        current.value.targets.first { $0.monitor.service.name == outage.service }
    }

    /// What this process has found itself stays.
    private func resume(_ known: TakeoverOffer.Alias) {
        let table = board.table
        guard let index = table.aliases.firstIndex(where: { !$0.isRetired && known.isOf($0) }) else { return }
        let alias = table.aliases[index]
        if !known.places.isEmpty {
            let server = ([alias.endpoint] + alias.alternatives).first { $0.description == known.server }
            factory.checks.resolver.remember(known.places, of: server ?? alias.endpoint)
            if alias.addresses.isEmpty { board.setAddresses(alias: index, known.places, server: server) }
        }
        if known.mustNotServe { board.setMustNotServe(alias: index, true) }
        if let staleness = known.staleness { board.setStaleness(alias: index, staleness) }
    }

    /// Waits for the first answers of all services, no longer than twice a ping's limit: whoever serves must not learn of an
    /// outage from its clients.
    func firstAnswers() async { await Self.firstAnswers(of: current.value.targets) }

    static func firstAnswers(of targets: [MonitoredTarget]) async {
        await withDiscardingTaskGroup { group in
            for target in targets { group.addTask { await target.monitor.firstAnswer() } }
        }
    }

    /// Runs what blocks where it may.
    func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value? {
        try? await factory.checks.threads.run { () throws(PingFailure) in work() }
    }

    /// The same for what may fail.
    func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await factory.checks.threads.run { () throws(PingFailure) in Result { try work() } }.get()
    }
}

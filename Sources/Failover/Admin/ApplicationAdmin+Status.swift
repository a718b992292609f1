import FailoverAdmin
import FailoverCore
import FailoverNotify
import FailoverProxy
import FailoverSystem
import FailoverTLS

extension ApplicationAdmin {
    var isReady: Bool {
        let (isListening, isStopping) = state.withLock { ($0.isListening, $0.isStopping) }
        return isListening && !isStopping
            && current().targets.allSatisfy { $0.monitor.report.history.latest != nil }
    }

    var configurationText: String { current().configuration.rendered() }

    func status() async -> StatusDocument {
        // This is read first, so that the values that are read later belong to known routes.
        let running = current()
        let report = await traffic.report()
        let (control, addresses) = (control.state, proxy.addresses)
        var errors: [String: Int] = [:]
        for kinds in report?.failures ?? [] {
            for (kind, count) in kinds { errors[kind.rawValue, default: 0] += count }
        }
        return StatusDocument(
            version: failoverVersion, host: environment.host, processId: environment.processID,
            time: environment.timeOfDay().text, started: started.text, ready: isReady,
            stopping: state.withLock { $0.isStopping }, reloadable: reloadConfiguration != nil,
            // During a reload, another route may have taken the position.
            routes: running.plan.routes.indices.filter { route in
                !control.table.routes[route].isRetired
                    && control.table.routes[route].name == running.plan.routes[route].name
            }.map { route in
                document(
                    ofRoute: route, engine: running.plan.routes[route].engine, listen: addresses[route],
                    certificateEnds: running.tls.certificate(ofRoute: running.plan.routes[route].name)?.ends.text,
                    control, report)
            },
            services: running.targets.map {
                ServiceDocument($0.monitor.report, type: $0.type, location: $0.location)
            },
            settings: control.settings.merged, errors: errors)
    }

    private func document(
        ofRoute route: Int, engine: DatabaseServer.Engine, listen: [SocketAddress], certificateEnds: String?,
        _ control: ControlState, _ report: TrafficReport?
    ) -> RouteDocument {
        let table = control.table
        let selection = table.selection(ofRoute: route)
        let closure = table.closure(ofRoute: route)
        let traffic = report?.routes[route]
        let open = traffic?.open ?? [:]
        let served = traffic?.served ?? [:]
        let own = table.routes[route].aliases
        // Aliases that the route no longer has may still have sessions.
        let former = open.keys.filter { !own.contains($0) }.sorted()
        let aliases = (own + former).map { index in
            let alias = table.aliases[index]
            let pings = pings(ofAlias: index)
            return RouteDocument.Alias(
                name: own.contains(index) ? alias.name : "\(alias.name) (removed)", address: alias.place,
                state: alias.outage == nil ? "up" : "down",
                suspect: alias.isSuspect,
                availability: (alias.refusesSessions ? alias.standing.availability : .open).rawValue,
                degraded: alias.outage == nil ? alias.standing.refusal?.description : nil,
                stale: alias.staleness?.description,
                lagSeconds: pings?.lag.map { ($0 / .milliseconds(1)).rounded() / 1000 },
                tlsVersion: pings?.tls?.version, certificateEnds: pings?.tls?.certificateEnds?.text,
                draining: alias.isLeaving || !own.contains(index),
                drill: alias.isDrilled ? control.drillEnd(ofAlias: index)?.text : nil,
                serving: selection.serving.contains(index),
                sessions: open[index] ?? 0, served: served[index] ?? 0)
        }
        return RouteDocument(
            name: table.routes[route].name, engine: engine.rawValue,
            listen: listen.map(\.description), certificateEnds: certificateEnds,
            currentAlias: selection.alias.map { table.aliases[$0].name },
            why: closure == nil ? selection.reason.why : .closed, reason: reason(selection, table),
            pinned: table.pin(ofRoute: route).map {
                RouteDocument.Pin(alias: table.aliases[$0].name, until: control.pinEnd(ofRoute: route)?.text)
            },
            closed: closure.map { RouteDocument.Closure(service: $0.service, message: $0.message) },
            aliases: aliases,
            sessions: RouteDocument.Sessions(
                open: aliases.reduce(0) { $0 + $1.sessions }, total: traffic?.accepted ?? 0,
                refused: traffic?.refused ?? 0, retried: traffic?.retried ?? 0, moved: traffic?.moved ?? 0,
                moving: traffic?.moving ?? 0, movingUnreadable: traffic?.movingUnreadable ?? 0,
                queued: traffic?.queued ?? 0),
            newSessions: self.traffic.arrivals(ofRoute: route))
    }

    /// What the pings of an alias report; `nil` for an alias that is no longer in the configuration.
    private func pings(ofAlias index: Int) -> ServiceReport? {
        let databases = current().databases
        return index < databases.count ? databases[index]?.monitor.report : nil
    }

    /// Why preferred aliases do not serve, and why the alias that serves is stale; `nil` if there is nothing to report.
    private func reason(_ selection: RouteSelection, _ table: RouteTable) -> String? {
        let serving = selection.alias.map { table.aliases[$0] }
        let stale = serving.flatMap { alias in alias.staleness.map { "\(alias.name) is stale: \($0)" } }
        let reasons = selection.passed.map { passed in
            let name = table.aliases[passed.alias].name
            return switch passed.reason {
            case .down(let failure): "\(name): \(failure)"
            case .draining: "\(name) is drained"
            case .stale(let staleness): "\(name) is stale: \(staleness)"
            case .suspect: "\(name) is suspect"
            case .refusing(let availability): "\(name) is \(availability.rawValue)"
            case .belowMinReplicas(let least): "\(name) is up, but fewer than \(least) aliases are (min_replicas)"
            }
        }
        let all = reasons + [stale].compactMap(\.self)
        return all.isEmpty ? nil : all.joined(separator: "; ")
    }
}

extension RouteSelection.Reason {
    fileprivate var why: RouteDocument.Why {
        switch self {
        case .preferred: .preferred
        case .failover: .failover
        case .pinned: .pinned
        case .nothingUp: .nothingUp
        }
    }
}

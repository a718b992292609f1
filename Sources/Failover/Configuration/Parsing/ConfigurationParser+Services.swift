import FailoverCore
import FailoverProxy
import FailoverSystem

extension ConfigurationParser {
    /// - Parameter databases: `nil` if they could not be read, so that no alias can be looked up.
    func readServices(_ entries: [(name: String, value: Value)], databases: ParsedDatabases?) -> [ParsedService] {
        entries.compactMap { name, value in
            guard let section = value.section(), let type = type(of: section)?.choice(of: ServiceType.self) else {
                return nil
            }
            return type == .database
                ? databaseService(name, section, databases: databases) : watchedService(name, section, type)
        }
    }

    /// The `type`, which says what keys a service has and so must be found before they are checked.
    private func type(of section: Section) -> Value? {
        let misspelt = section.entries.first { KeySuggestion.nearest(to: $0.key, among: ["type"]) != nil }
        return section["type"] ?? misspelt?.value ?? section.required("type")
    }

    private func databaseService(
        _ name: String, _ section: Section, databases: ParsedDatabases?
    ) -> ParsedService {
        let section = section.checked(as: .databaseService)
        var service = ParsedService(name: name, place: section.place, overrides: MonitorOverrides(section))
        service.listeners = listeners(section)
        readConsequences(section, into: &service)
        var route = DatabaseRoute(aliases: [], listen: service.listeners.map(\.endpoint))
        route.socketAccess = socketAccess(section, listen: service.listeners.map(\.endpoint))
        route.maxConnections = section.sessionLimit()
        route.maxConnectionsPerSource = section["max_connections_per_source"]?.limit(upTo: 1_000_000)
        route.connectionRatePerSource = section["connection_rate_per_source"]?.limit(upTo: 1_000_000)
        route.allow = section["allow"].flatMap(networks)
        if let truth = section["serve_stale"]?.choice(of: Truth.self) { route.servesStale = truth == .true }
        if let share = section["max_suspect_share"]?.fraction() { route.maxSuspectShare = share }
        route.session = SessionSettings(section)
        readTriggers(section, into: &route)
        if let databases {
            var reader = RouteAliases(databases: databases, log: log)
            reader.read(section)
            service.knowsItsAliases = reader.allDefined
            service.ownAliases = Array(reader.own)
            route.aliases = reader.aliases
            route.ownCount = reader.ownCount
            if route.session.failoverReadOnly, reader.engine == .tcp {
                section["failover_read_only"]?.report("engine tcp has no use for it: its sessions are not read")
            }
        }
        readBalance(section, into: &route, knowsItsAliases: service.knowsItsAliases)
        service.kind = .database(route)
        return service
    }

    private func listeners(_ section: Section) -> [(endpoint: Endpoint, place: Place)] {
        guard let value = section.required("listen"), let elements = value.elements() else { return [] }
        if elements.isEmpty { value.report("a route needs at least one address to listen on") }
        return elements.compactMap { element in
            guard let text = element.scalar("expected host:port, [v6]:port or unix:/path") else { return nil }
            let endpoint = element.read { () throws(InvalidText) in try Endpoint(listenText: text) }
            return endpoint.map { ($0, element.place) }
        }
    }

    private func socketAccess(_ section: Section, listen: [Endpoint]) -> UnixSocketAccess {
        var access = UnixSocketAccess()
        let hasSocket = listen.contains { if case .unix = $0 { true } else { false } }
        for key in ["listen_mode", "listen_group"] where !hasSocket && !listen.isEmpty {
            section[key]?.report("has a meaning only for a listener at unix:/path")
        }
        if let value = section["listen_mode"], let text = value.scalar("expected a mode such as \"0660\"") {
            access.mode = UInt32(text, radix: 8)
            if access.mode.map({ $0 > 0o777 }) ?? true || text.hasPrefix("+") {
                value.report("expected a mode from \"0000\" to \"0777\", found \(text.quotedForMessage)")
            }
        }
        if let value = section["listen_group"], let text = value.text() {
            access.group = text
            if SocketAccess.number(ofGroup: text) == nil { value.report("no such group: \(text.quotedForMessage)") }
        }
        return access
    }

    /// How several aliases of `db_alias` serve side by side.
    private func readBalance(_ section: Section, into route: inout DatabaseRoute, knowsItsAliases: Bool) {
        if let policy = section["balance"]?.choice(of: BalanceSettings.Policy.self) { route.balance.policy = policy }
        if let time = section["slow_start"]?.durationOrZero() { route.balance.slowStart = time }
        if let least = section["min_replicas"]?.integer(in: 1...1000) {
            route.minReplicas = least
            if least > route.ownCount, knowsItsAliases {
                section["min_replicas"]?.report("`db_alias` names no more than \(route.ownCount)")
            }
        }
    }

    private func readTriggers(_ section: Section, into route: inout DatabaseRoute) {
        if let triggers = section["error_triggers"].flatMap(triggers) { route.errorTriggers = triggers }
        if let extra = section["extra_error_triggers"].flatMap(triggers) { route.errorTriggers.formUnion(extra) }
    }

    private func networks(_ value: Value) -> SourceNetworks? {
        guard let elements = value.elements() else { return nil }
        if elements.isEmpty { value.report("would let nobody in; leave it out to let everybody in") }
        return SourceNetworks(
            elements.compactMap { element in
                guard let text = element.scalar("expected a network such as 10.0.0.0/8") else { return nil }
                return element.read { () throws(InvalidText) in try SourceNetworks.Network(text: text) }
            })
    }

    private func triggers(_ value: Value) -> Set<BackendErrorKind>? {
        value.elements().map { Set($0.compactMap { $0.choice(of: BackendErrorKind.self) }) }
    }
}

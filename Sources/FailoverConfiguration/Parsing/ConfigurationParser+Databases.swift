import FailoverCore

/// The `databases` of a file: what is named there, and what of it is right.
struct ParsedDatabases {
    /// Every alias that the file defines, whether or not all of it is right; in file order.
    var names: [String] = []
    /// The engines that are right.
    var engines: [String: DatabaseServer.Engine] = [:]
    /// The aliases that are sections, in file order.
    var aliases: [DatabaseAlias] = []
    /// Where their `max_lag` stands.
    var lagLimits: [String: SourceLocation] = [:]

    /// The aliases with the settings of the services whose `db_alias` they are. Their pings begin as sessions do.
    func configured(with services: [ParsedService]) -> [DatabaseAlias] {
        var aliases = aliases
        let locations = Dictionary(zip(aliases.map(\.name), aliases.indices)) { first, _ in first }
        for service in services {
            guard let route = service.route else { continue }
            for index in route.ownAliases.compactMap({ locations[$0] }) {
                aliases[index].monitor = service.section.monitorSettings(over: aliases[index].monitor)
            }
            for index in route.aliases.compactMap({ locations[$0] }) where aliases[index].server.proxyHeader == nil {
                aliases[index].server.proxyHeader = route.session.sendProxy
            }
        }
        return aliases
    }
}

extension ConfigurationParser {
    func readDatabases(_ entries: [(name: String, value: Value)], monitor: MonitorSettings) -> ParsedDatabases {
        var databases = ParsedDatabases()
        for (name, value) in entries {
            databases.names.append(name)
            guard let section = value.section()?.checked(as: Schema.databaseAlias.vocabulary) else { continue }
            var alias = Schema.databaseAlias.initial
            alias.name = name
            alias.monitor = monitor
            if section["engine"]?.textIfAny == DatabaseServer.Engine.tcp.rawValue {
                alias.monitor.bothTimeouts = MonitorSettings.connectOnly.pingTimeout
            }
            let wrong = Schema.databaseAlias.read(section, into: &alias)
            let engine = wrong.contains("engine") ? nil : alias.server.engine
            alias.server.passwordFile = section["password"]?.secretFile
            if section["host"]?.isList == true {
                readHosts(section, engine: engine, into: &alias.server)
            } else if let endpoint = endpoint(section, defaultPort: engine?.defaultPort, needsPort: engine != nil) {
                alias.server.endpoint = endpoint
            }
            databases.engines[name] = engine
            databases.lagLimits[name] = engine == .tcp ? nil : section["max_lag"]?.location
            databases.aliases.append(alias)
        }
        return databases
    }

    /// `host` as a list: several servers of which the alias is the one that has its role.
    private func readHosts(_ section: Section, engine: DatabaseServer.Engine?, into server: inout DatabaseServer) {
        let mostHosts = 16
        guard let host = section["host"], let elements = host.elements() else { return }
        if elements.isEmpty { host.report("a server needs at least one host") }
        if elements.count > mostHosts { host.report("must not be more than \(mostHosts)") }
        if engine == .tcp, elements.count > 1 {
            host.report("engine tcp takes one: no ping can tell which of them it is")
        } else if section["role"] == nil, engine != .tcp {
            host.report("a list needs `role`, which tells the one of them that it is")
        }
        let port = section["port"].flatMap(ValueKind.port.read) ?? engine?.defaultPort
        var endpoints: [Endpoint] = []
        for element in elements {
            let endpoint = element.parse("expected host, host:port, [v6]:port or unix:/path") {
                text throws(InvalidText) in try Endpoint(hostText: text, port: port)
            }
            guard let endpoint else { continue }
            if endpoints.contains(endpoint) { element.report("\(endpoint) is already one of them") }
            endpoints.append(endpoint)
        }
        server.endpoint = endpoints.first ?? server.endpoint
        server.alternatives = Array(endpoints.dropFirst())
    }

    /// The server of `host` and `port`; `nil` after reporting why there is none, if it is not that `host` is missing.
    ///
    /// - Parameter needsPort: whether a port that is absent is a mistake; it is none while the engine is in doubt.
    func endpoint(_ section: Section, defaultPort: UInt16?, needsPort: Bool) -> Endpoint? {
        let portValue = section["port"]
        guard let host = section["host"] else {
            _ = portValue.flatMap(ValueKind.port.read)
            return nil
        }
        let text = host.scalar("expected a host name, an IP address or unix:/path")
        let path = text.flatMap { text in host.read { () throws(InvalidText) in try SocketPath(prefixedText: text) } }
        if text?.hasPrefix("unix:") == true {
            portValue?.report("a Unix socket has no port")
            return path.flatMap { $0 }.map { .unix(path: $0.text) }
        }
        let name = text.flatMap { text in host.read { () throws(InvalidText) in try HostName(text) } }
        let port = portValue.map(ValueKind.port.read) ?? defaultPort
        if portValue == nil && port == nil && needsPort { section.report("`port` is missing") }
        guard let name, let port else { return nil }
        return .tcp(host: name.text, port: port)
    }
}

extension Endpoint {
    /// Reads a server of a list: a host, with a port of its own or without, or a Unix socket.
    fileprivate init(hostText text: String, port: UInt16?) throws(InvalidText) {
        let isBare = !text.hasPrefix("[") && text.count(where: { $0 == ":" }) != 1
        guard isBare else {
            try self.init(serverText: text)
            return
        }
        let host = try HostName(text)
        guard let port else { throw InvalidText("the port is missing") }
        self = .tcp(host: host.text, port: port)
    }
}

extension DatabaseServer.Engine {
    /// The port that the engine's servers listen on by custom.
    fileprivate var defaultPort: UInt16? {
        switch self {
        case .postgres: 5432
        case .mysql: 3306
        case .tcp: nil
        }
    }
}

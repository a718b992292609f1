import FailoverCore

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

    /// Reads `host` as a list of servers. The alias is the server that has the role.
    private func readHosts(_ section: Section, engine: DatabaseServer.Engine?, into server: inout DatabaseServer) {
        let mostHosts = 16
        guard let host = section["host"], let elements = host.elements() else { return }
        if elements.isEmpty { host.report("a server needs at least one host") }
        if elements.count > mostHosts { host.report("must not have more than \(mostHosts) hosts") }
        if engine == .tcp, elements.count > 1 {
            host.report("engine tcp takes one host: its ping cannot select a server")
        } else if section["role"] == nil, engine != .tcp {
            host.report("a list of hosts needs `role`, which selects the server")
        }
        let port = section["port"].flatMap(ValueKind.port.read) ?? engine?.defaultPort
        var endpoints: [Endpoint] = []
        for element in elements {
            let endpoint = element.parse("expected host, host:port, [v6]:port or unix:/path") {
                text throws(InvalidText) in try Endpoint(hostText: text, port: port)
            }
            guard let endpoint else { continue }
            if endpoints.contains(endpoint) { element.report("\(endpoint) is already in the list") }
            endpoints.append(endpoint)
        }
        server.endpoint = endpoints.first ?? server.endpoint
        server.alternatives = Array(endpoints.dropFirst())
    }

    /// The server that `host` and `port` name; `nil` if they name none. Reports the reason, unless `host` is missing.
    ///
    /// - Parameter needsPort: whether an absent port is a mistake. It is not while the engine is unknown.
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
    /// Reads one server of a list: a host with or without its own port, or a Unix socket.
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
    /// The port that servers of the engine listen on by default.
    fileprivate var defaultPort: UInt16? {
        switch self {
        case .postgres: 5432
        case .mysql: 3306
        case .tcp: nil
        }
    }
}

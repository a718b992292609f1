import FailoverCore

extension ConfigurationParser {
    func readDatabases(_ entries: [(name: String, value: Value)]) -> ParsedDatabases {
        var databases = ParsedDatabases()
        for (name, value) in entries {
            databases.names.append(name)
            guard let section = value.section()?.checked(as: .databaseAlias) else { continue }
            let engine = section.required("engine")?.choice(of: DatabaseServer.Engine.self)
            databases.engines[name] = engine
            databases.lagLimits[name] = section["max_lag"]?.place
            let server = server(section, engine: engine)
            let monitor = monitor(section, engine: engine)
            let limit = section.sessionLimit()
            let weight = section["weight"]?.integer(in: 1...1000)
            guard let server else { continue }
            databases.aliases.append(
                DatabaseAlias(
                    name: name, server: server, monitor: monitor, maxConnections: limit, weight: weight ?? 1))
        }
        return databases
    }

    /// Reads every key, whatever else is wrong; `nil` if there is no server without those that are.
    private func server(_ section: Section, engine: DatabaseServer.Engine?) -> DatabaseServer? {
        let isList = section["host"]?.isList == true
        let endpoints =
            isList
            ? self.endpoints(section, defaultPort: engine?.defaultPort)
            : [endpoint(section, defaultPort: engine?.defaultPort, portIsKnown: engine != nil)].compactMap(\.self)
        let endpoint = endpoints.first
        if engine == .tcp {
            if endpoints.count > 1 {
                section["host"]?.report("engine tcp takes one: no ping can tell which of them it is")
            }
            let keys = [
                "user", "password", "password_methods", "name", "tls", "tls_ca", "ping_query", "role", "refused_ping",
            ]
            for key in keys + ReplicationPolicy.keys {
                section[key]?.report("engine tcp has no use for it: its ping only connects")
            }
            return endpoint.map { DatabaseServer(engine: .tcp, endpoint: $0) }
        }
        let user = (engine == nil ? section["user"] : section.required("user"))?.text()
        let password = section["password"].flatMap(secret)
        let passwordFile = section["password"].flatMap(secretFile)
        let passwordMethods = section["password_methods"].flatMap { self.passwordMethods($0, engine: engine) }
        let databaseName = section["name"]?.text()
        let tls = section["tls"]?.choice(of: DatabaseServer.TLSMode.self) ?? .prefer
        let authorities = section["tls_ca"].flatMap(certificateFile)
        let query = section["ping_query"]?.text() ?? "SELECT 1"
        let role = section["role"]?.choice(of: DatabaseServer.Role.self)
        let replication = ReplicationPolicy(section, role: role, engine: engine)
        if isList, section["role"] == nil {
            section["host"]?.report("a list needs `role`, which tells the one of them that it is")
        }
        guard let engine, let endpoint else { return nil }
        return DatabaseServer(
            engine: engine, endpoint: endpoint, alternatives: Array(endpoints.dropFirst()), user: user,
            password: password, passwordFile: passwordFile, passwordMethods: passwordMethods,
            databaseName: databaseName, tls: tls, tlsAuthorities: authorities, pingQuery: query, role: role,
            replication: replication)
    }

    private func passwordMethods(
        _ value: Value, engine: DatabaseServer.Engine?
    ) -> Set<DatabaseServer.PasswordMethod>? {
        if engine == .mysql { value.report("engine mysql has no use for it") }
        guard let elements = value.elements() else { return nil }
        if elements.isEmpty { value.report("would let the server ask in no way") }
        return Set(elements.compactMap { $0.choice(of: DatabaseServer.PasswordMethod.self) })
    }

    private func monitor(_ section: Section, engine: DatabaseServer.Engine?) -> MonitorSettings {
        let defaults = engine == .tcp ? Self.connectOnly(monitor, limit: Self.connectLimit) : monitor
        var settings = MonitorOverrides(section, keys: MonitorOverrides.keysOfAlias).applied(to: defaults)
        if let policy = section["refused_ping"]?.choice(of: MonitorSettings.RefusedPing.self) {
            settings.refusedPing = policy
        }
        return settings
    }

    /// The `host` and `port` of a section.
    ///
    /// - Parameter portIsKnown: whether a port that is absent is a mistake; it is none while the engine is in doubt.
    func endpoint(_ section: Section, defaultPort: UInt16?, portIsKnown: Bool = true) -> Endpoint? {
        let portValue = section["port"]
        guard let host = section.required("host") else {
            _ = portValue?.integer(in: 1...65535)
            return nil
        }
        let text = host.scalar("expected a host name, an IP address or unix:/path")
        let path = text.flatMap { text in host.read { () throws(InvalidText) in try SocketPath(prefixedText: text) } }
        if text?.hasPrefix("unix:") == true {
            portValue?.report("a Unix socket has no port")
            return path.flatMap { $0 }.map { .unix(path: $0.text) }
        }
        let name = text.flatMap { text in host.read { () throws(InvalidText) in try HostName(text) } }
        var port = defaultPort
        if let portValue {
            port = portValue.integer(in: 1...65535).flatMap(UInt16.init(exactly:))
        } else if defaultPort == nil && portIsKnown {
            section.report("`port` is missing")
        }
        guard let name, let port else { return nil }
        return .tcp(host: name.text, port: port)
    }

    /// The time limit of a ping that only connects, unless the file says otherwise.
    static let connectLimit = Duration.seconds(3)

    /// The settings with one time limit for both states, which is how a ping that only connects is limited.
    static func connectOnly(_ settings: MonitorSettings, limit: Duration) -> MonitorSettings {
        var settings = settings
        settings.pingTimeout = limit
        settings.outagePingTimeout = limit
        return settings
    }
}

extension Section {
    /// Its `max_connections`; `nil` for the default and for 0, which are no limit.
    func sessionLimit() -> Int? { self["max_connections"]?.limit(upTo: 1_000_000) }
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

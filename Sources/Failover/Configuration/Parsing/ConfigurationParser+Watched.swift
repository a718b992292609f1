import FailoverCore

/// Services that are pinged and move no route.
extension ConfigurationParser {
    func watchedService(_ name: String, _ section: Section, _ type: ServiceType) -> ParsedService {
        let section = section.checked(as: type.vocabulary)
        let server = server(section, type)
        let limit = section["timeout"]?.duration() ?? (type == .command ? Self.commandLimit : Self.connectLimit)
        let overrides = MonitorOverrides(section)
        var monitor = overrides.applied(to: Self.connectOnly(monitor, limit: limit))
        // It moves no route: what refuses the monitor is as good as down.
        monitor.refusedPing = .down
        var service = ParsedService(
            name: name, place: section.place, kind: server.map { .watched($0, monitor) }, overrides: overrides)
        readConsequences(section, into: &service)
        return service
    }

    /// The time limit of a service's commands unless the file says otherwise.
    private static let commandLimit = Duration.seconds(10)

    private func server(_ section: Section, _ type: ServiceType) -> WatchedServer? {
        switch type {
        case .database: nil
        case .tcp: endpoint(section, defaultPort: nil).map { .tcp($0) }
        case .memcached: pool(section).map { .memcached($0) }
        case .rabbitmq:
            broker(section) { url, authorities throws(InvalidText) in
                .rabbitmq(try RabbitMQServer(url: url, tlsAuthorities: authorities))
            }
        case .redis:
            broker(section) { url, authorities throws(InvalidText) in
                .redis(try RedisServer(url: url, tlsAuthorities: authorities))
            }
        case .command: commands(section).map { .command($0) }
        }
    }

    private func pool(_ section: Section) -> [Endpoint]? {
        guard let value = section.required("servers"), let elements = value.elements() else { return nil }
        if elements.isEmpty { value.report("a pool has at least one server") }
        var servers: [Endpoint] = []
        for element in elements {
            guard let text = element.scalar("expected host:port, [v6]:port or unix:/path") else { continue }
            guard let server = element.read({ () throws(InvalidText) in try Endpoint(serverText: text) }) else {
                continue
            }
            if servers.contains(server) { element.report("\(server) is already in the pool") }
            servers.append(server)
        }
        return servers
    }

    private func broker(
        _ section: Section, _ make: (String, String?) throws(InvalidText) -> WatchedServer
    ) -> WatchedServer? {
        let authorities = section["tls_ca"].flatMap(certificateFile)
        guard let value = section.required("url"), let url = secret(value, isSecret: { $0.contains("@") }) else {
            return nil
        }
        return value.read { () throws(InvalidText) in try make(url.reveal(), authorities) }
    }

    private func commands(_ section: Section) -> ServiceCommands? {
        let failover = section["failover"].flatMap(command)
        let recover = section["recover"].flatMap(command)
        guard let ping = section.required("ping").flatMap(command) else { return nil }
        return ServiceCommands(ping: ping, failover: failover, recover: recover)
    }

    /// A program's absolute path and its arguments. No shell reads them.
    func command(_ value: Value) -> [String]? {
        guard let elements = value.elements() else { return nil }
        let words = elements.compactMap { $0.scalar("expected text") }
        guard words.count == elements.count, words.allSatisfy({ !$0.utf8.contains(0) }) else { return nil }
        guard let program = words.first, program.hasPrefix("/") else {
            value.report("expected the absolute path of a program, then its arguments: [/usr/local/bin/check, --fast]")
            return nil
        }
        return words
    }

    /// `failover_settings` and `close_during_outage`, which every service may have.
    func readConsequences(_ section: Section, into service: inout ParsedService) {
        if let settings = section["failover_settings"]?.section() {
            for (name, value) in settings.entries {
                guard Self.isVariable(name) else {
                    value.report("a setting's name has letters, digits and `_`, and does not start with a digit")
                    continue
                }
                if name.hasPrefix("FAILOVER_") {
                    value.report("names that start with FAILOVER_ are those of the proxy itself")
                }
                guard let text = value.scalar("expected text") else { continue }
                if text.utf8.contains(0) { value.report("must not contain a NUL character") }
                service.failoverSettings[name] = text
            }
        }
        guard let value = section["close_during_outage"],
            let closure = value.section()?.checked(as: .closeDuringOutage)
        else { return }
        let routes = closure.required("routes")?.elements() ?? []
        if let list = closure["routes"], routes.isEmpty { list.report("names no route") }
        service.closedRoutes = routes.compactMap { route in route.text().map { ($0, route.place) } }
        service.closureMessage = closure["message"]?.text() ?? "closed during the outage of \(service.name)"
    }

    private static func isVariable(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil
    }
}

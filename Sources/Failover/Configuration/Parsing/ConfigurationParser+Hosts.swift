import FailoverCore

/// `host` as a list: several servers of which the alias is the one that has its role.
extension ConfigurationParser {
    private static let mostHosts = 16

    /// The servers of the list; `port` is that of those that name none.
    func endpoints(_ section: Section, defaultPort: UInt16?) -> [Endpoint] {
        guard let host = section["host"], let elements = host.elements() else { return [] }
        if elements.isEmpty { host.report("a server needs at least one host") }
        if elements.count > Self.mostHosts { host.report("must not be more than \(Self.mostHosts)") }
        let port = section["port"].flatMap { $0.integer(in: 1...65535) }.flatMap(UInt16.init(exactly:)) ?? defaultPort
        var endpoints: [Endpoint] = []
        for element in elements {
            guard let text = element.scalar("expected host, host:port, [v6]:port or unix:/path") else { continue }
            let endpoint = element.read { () throws(InvalidText) in try Endpoint(hostText: text, port: port) }
            guard let endpoint else { continue }
            if endpoints.contains(endpoint) { element.report("\(endpoint) is already one of them") }
            endpoints.append(endpoint)
        }
        return endpoints
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

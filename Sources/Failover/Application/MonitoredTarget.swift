import FailoverCore

/// A service that is monitored, and what it is for people.
struct MonitoredTarget: Sendable {
    /// What it was made from.
    enum Origin: Hashable {
        /// A database alias at a position of the route table, and the services whose own it is.
        case alias(
            Int, alias: String, name: String, server: DatabaseServer, monitor: MonitorSettings, services: [String])
        case watched(name: String, WatchedServer, MonitorSettings, environment: [String: String])
    }

    let origin: Origin
    let monitor: MonitoredService
    /// The `type` of the configuration, or the engine.
    let type: String
    let location: String
    /// How far behind its primary a database is; `nil` when the latest ping does not know.
    var lag: @Sendable () -> Duration? = { nil }

    /// The services that are down when this is.
    var services: [String] {
        switch origin {
        case .alias(_, _, _, _, _, let services): services
        case .watched(let name, _, _, _): [name]
        }
    }

    /// What it is of each of them: the alias, or all there is.
    var member: String {
        switch origin {
        case .alias(_, let alias, _, _, _, _): alias
        case .watched(let name, _, _, _): name
        }
    }

    /// Whether only a ping can tell which server it is.
    var mayBeSeveral: Bool {
        if case .alias(_, _, _, let server, _, _) = origin { !server.alternatives.isEmpty } else { false }
    }

    /// Whether what is known of the other is true of this: it watches the same thing, be it in another way.
    func continues(_ other: MonitoredTarget) -> Bool {
        switch (origin, other.origin) {
        case (.alias(let index, _, _, _, _, _), .alias(let otherIndex, _, _, _, _, _)): index == otherIndex
        case (.watched(let name, let server, _, _), .watched(let otherName, let otherServer, _, _)):
            name == otherName && server.typeName == otherServer.typeName && location == other.location
        default: false
        }
    }
}

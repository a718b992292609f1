/// `GET /api/v1/status`: everything that an operator needs to see.
package struct StatusDocument: Hashable, Decodable, Sendable {
    package var version: String
    package var host: String
    package var processId: Int32
    package var time: String
    package var started: String
    /// Whether the listeners are open and every service has the result of its first ping.
    package var ready: Bool
    package var stopping: Bool
    /// Whether the configuration can be reloaded.
    package var reloadable: Bool
    package var routes: [RouteDocument]
    package var services: [ServiceDocument]
    /// The `failover_settings` of services that are down.
    package var settings: [String: String]
    /// Backend errors that sessions saw, by kind.
    package var errors: [String: Int]

    package init(
        version: String, host: String, processId: Int32, time: String, started: String, ready: Bool, stopping: Bool,
        reloadable: Bool = false, routes: [RouteDocument], services: [ServiceDocument], settings: [String: String],
        errors: [String: Int]
    ) {
        self.version = version
        self.host = host
        self.processId = processId
        self.time = time
        self.started = started
        self.ready = ready
        self.stopping = stopping
        self.reloadable = reloadable
        self.routes = routes
        self.services = services
        self.settings = settings
        self.errors = errors
    }
}

extension StatusDocument: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("version", version)
            json.field("host", host)
            json.field("process_id", processId)
            json.field("time", time)
            json.field("started", started)
            json.field("ready", ready)
            json.field("stopping", stopping)
            json.field("reloadable", reloadable)
            json.field("routes", routes)
            json.field("services", services)
            json.field("settings", settings)
            json.field("errors", errors)
        }
    }
}

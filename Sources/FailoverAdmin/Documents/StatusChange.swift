/// What has changed since the previous status, for clients that have that status: `change` of the event stream.
///
/// A missing key means no change. Each route or service is complete and replaces the one with the same name.
package struct StatusChange: Decodable, Sendable {
    let time: String
    var ready: Bool?
    var stopping: Bool?
    var routes: [RouteDocument]?
    var services: [ServiceDocument]?
    var settings: [String: String]?
    var errors: [String: Int]?

    /// Returns `nil` if only a whole status can show what has changed: after a restart, or after a reload that changed
    /// the list of routes or services.
    init?(from former: StatusDocument, to status: StatusDocument) {
        guard former.hasSameParts(as: status) else { return nil }
        time = status.time
        if former.ready != status.ready { ready = status.ready }
        if former.stopping != status.stopping { stopping = status.stopping }
        routes = Self.changed(former.routes, status.routes)
        services = Self.changed(former.services, status.services)
        if former.settings != status.settings { settings = status.settings }
        if former.errors != status.errors { errors = status.errors }
    }

    private static func changed<Part: Hashable>(_ former: [Part], _ parts: [Part]) -> [Part]? {
        let changed = zip(former, parts).filter { $0 != $1 }.map(\.1)
        return changed.isEmpty ? nil : changed
    }
}

extension StatusChange: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("time", time)
            if let ready { json.field("ready", ready) }
            if let stopping { json.field("stopping", stopping) }
            if let routes { json.field("routes", routes) }
            if let services { json.field("services", services) }
            if let settings { json.field("settings", settings) }
            if let errors { json.field("errors", errors) }
        }
    }
}

extension StatusDocument {
    /// Whether both are from the same process and have the same routes and services in the same order.
    fileprivate func hasSameParts(as other: StatusDocument) -> Bool {
        version == other.version && processId == other.processId && started == other.started
            && reloadable == other.reloadable && routes.map(\.name) == other.routes.map(\.name)
            && services.map(\.name) == other.services.map(\.name)
    }

    /// The status after the change.
    package func with(_ change: StatusChange) -> StatusDocument {
        var status = self
        status.time = change.time
        status.ready = change.ready ?? ready
        status.stopping = change.stopping ?? stopping
        status.settings = change.settings ?? settings
        status.errors = change.errors ?? errors
        let routes = Dictionary((change.routes ?? []).map { ($0.name, $0) }) { $1 }
        status.routes = self.routes.map { routes[$0.name] ?? $0 }
        let services = Dictionary((change.services ?? []).map { ($0.name, $0) }) { $1 }
        status.services = self.services.map { services[$0.name] ?? $0 }
        return status
    }
}

/// `GET /api/v1/status`: everything that somebody on call wants to see.
package struct StatusDocument: Hashable, Codable, Sendable {
    package var version: String
    package var host: String
    package var processId: Int32
    package var time: String
    package var started: String
    /// Listeners are open, and every service has had its first answer.
    package var ready: Bool
    package var stopping: Bool
    /// Whether it can read its configuration again.
    package var reloadable: Bool
    package var routes: [RouteDocument]
    package var services: [ServiceDocument]
    /// The `failover_settings` of services that are down.
    package var settings: [String: String]
    /// Errors of backends that sessions saw, by kind.
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

/// One open session of `GET /api/v1/sessions`.
package struct SessionDocument: Codable, Sendable {
    /// Later sessions have higher numbers.
    package var id: UInt64
    package var route: String
    @Nullable package var alias: String?
    package var client: String
    package var ageSeconds: Double
    package var idleSeconds: Double
    package var bytesFromClient: UInt64
    package var bytesFromBackend: UInt64
    /// Whether it stands where it could be moved; `null` of one that can't be read.
    @Nullable package var atBoundary: Bool?

    package init(
        id: UInt64, route: String, alias: String?, client: String, age: Duration, idle: Duration,
        bytesFromClient: UInt64, bytesFromBackend: UInt64, atBoundary: Bool?
    ) {
        self.id = id
        self.route = route
        self.alias = alias
        self.client = client
        ageSeconds = Self.seconds(age)
        idleSeconds = Self.seconds(idle)
        self.bytesFromClient = bytesFromClient
        self.bytesFromBackend = bytesFromBackend
        self.atBoundary = atBoundary
    }

    /// To a thousandth.
    private static func seconds(_ duration: Duration) -> Double { (duration / .milliseconds(1)).rounded() / 1000 }
}

/// `GET /api/v1/sessions`: a page of the open sessions.
struct SessionsDocument: Encodable, Sendable {
    let sessions: [SessionDocument]
    /// What `after` has to be for the next page; `null` on the last one.
    @Nullable var next: UInt64?

    init(_ sessions: [SessionDocument], limit: Int) {
        self.sessions = sessions
        next = sessions.count == limit ? sessions.last?.id : nil
    }
}

/// A value of a document that is there even when there is none: `null`, where a synthesised `encode` would leave it out.
@propertyWrapper
package struct Nullable<Value: Hashable & Codable & Sendable>: Hashable, Codable, Sendable {
    package var wrappedValue: Value?

    package init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

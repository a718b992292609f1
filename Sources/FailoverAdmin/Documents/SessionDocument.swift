package import FailoverCore

/// One open session of `GET /api/v1/sessions`.
package struct SessionDocument: Decodable, Sendable {
    /// Later sessions have higher numbers.
    package var id: UInt64
    package var route: String
    package var alias: String?
    package var client: String
    package var ageSeconds: Double
    package var idleSeconds: Double
    package var bytesFromClient: UInt64
    package var bytesFromBackend: UInt64
    /// Whether the session is at a transaction boundary, where it can be moved, and who knows it: `yes` and `no` if the
    /// proxy reads the session; `attested` if the proxy cannot read it and its server says that it is at a boundary;
    /// otherwise `unknown`.
    package var boundary: SessionBoundary

    package init(
        id: UInt64, route: String, alias: String?, client: String, age: Duration, idle: Duration,
        bytesFromClient: UInt64, bytesFromBackend: UInt64, boundary: SessionBoundary
    ) {
        self.id = id
        self.route = route
        self.alias = alias
        self.client = client
        ageSeconds = Self.seconds(age)
        idleSeconds = Self.seconds(idle)
        self.bytesFromClient = bytesFromClient
        self.bytesFromBackend = bytesFromBackend
        self.boundary = boundary
    }

    /// Seconds, to a thousandth.
    private static func seconds(_ duration: Duration) -> Double { (duration / .milliseconds(1)).rounded() / 1000 }
}

/// `GET /api/v1/sessions`: a page of the open sessions.
struct SessionsDocument: Sendable {
    let sessions: [SessionDocument]
    /// The value of `after` for the next page; `null` on the last page.
    var next: UInt64?

    init(_ sessions: [SessionDocument], limit: Int) {
        self.sessions = sessions
        next = sessions.count == limit ? sessions.last?.id : nil
    }
}

extension SessionDocument: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("route", route)
            json.field("alias", alias)
            json.field("client", client)
            json.field("age_seconds", ageSeconds)
            json.field("idle_seconds", idleSeconds)
            json.field("bytes_from_client", bytesFromClient)
            json.field("bytes_from_backend", bytesFromBackend)
            json.field("at_boundary", boundary.isReached)
            json.field("boundary", boundary.rawValue)
        }
    }
}

extension SessionsDocument: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("sessions", sessions)
            json.field("next", next)
        }
    }
}

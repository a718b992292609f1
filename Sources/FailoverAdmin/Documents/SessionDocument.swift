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
    /// Whether the session is at a point where it can be moved; `null` if the proxy cannot read the session.
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

    /// Seconds, to a thousandth.
    private static func seconds(_ duration: Duration) -> Double { (duration / .milliseconds(1)).rounded() / 1000 }
}

/// `GET /api/v1/sessions`: a page of the open sessions.
struct SessionsDocument: Encodable, Sendable {
    let sessions: [SessionDocument]
    /// The value of `after` for the next page; `null` on the last page.
    @Nullable var next: UInt64?

    init(_ sessions: [SessionDocument], limit: Int) {
        self.sessions = sessions
        next = sessions.count == limit ? sessions.last?.id : nil
    }
}

/// A value that a document always contains: `null` if there is none, where a synthesised `encode` would omit the key.
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

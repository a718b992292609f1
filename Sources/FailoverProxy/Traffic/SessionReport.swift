/// One open session, as somebody on call wants to see it.
public struct SessionReport: Hashable, Sendable {
    /// Counts from 1 in each process; later sessions have higher numbers.
    public let id: UInt64
    /// By position in the route table.
    public let route: Int
    /// The alias that serves it, by its position; `nil` while none does yet.
    public let alias: Int?
    /// Where the client is, as far as it can be told.
    public let client: String
    public let age: Duration
    /// Since the last byte passed.
    public let idle: Duration
    /// Bytes from the client.
    public let fromClient: UInt64
    /// Bytes from the backend.
    public let fromBackend: UInt64
    /// Whether it stands where it could be moved; `nil` of one that can't be read.
    public let isAtBoundary: Bool?
}

/// Which sessions are asked for.
public struct SessionQuery: Hashable, Sendable {
    /// Those of one route; all unless given.
    public var route: Int?
    /// Those whose numbers are higher.
    public var after: UInt64
    /// The most that are told; those with the lowest numbers.
    public var limit: Int

    public init(route: Int? = nil, after: UInt64 = 0, limit: Int) {
        self.route = route
        self.after = after
        self.limit = limit
    }
}

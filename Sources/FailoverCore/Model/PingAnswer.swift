/// What a ping is to find out.
public struct PingRequest: Hashable, Sendable {
    /// For the whole ping: name look-up, connect, login, questions.
    public var limit: Duration
    /// What earlier pings found out about which server it is.
    public var record: ServerRecord
    /// Whether a primary is asked how far its log is.
    public var wantsWALPosition: Bool
    /// Whether the server is asked who it is.
    public var wantsIdentity: Bool

    public init(
        limit: Duration, record: ServerRecord = ServerRecord(), wantsWALPosition: Bool = false,
        wantsIdentity: Bool = false
    ) {
        self.limit = limit
        self.record = record
        self.wantsWALPosition = wantsWALPosition
        self.wantsIdentity = wantsIdentity
    }
}

/// Which it is of the servers that an alias may be.
public struct ServerRecord: Hashable, Sendable {
    /// The one that was found well last; `nil` until one was.
    public var known: Endpoint?
    /// Until then, the one that serves although it refuses the monitor, for want of a better one.
    public var refusing: Endpoint?

    public init(known: Endpoint? = nil, refusing: Endpoint? = nil) {
        self.known = known
        self.refusing = refusing
    }
}

/// What a ping has found out.
public struct PingAnswer: Hashable, Sendable {
    /// Why it failed; `nil` when it succeeded.
    public var failure: PingFailure?
    /// Where the server is looked for; `nil` when the name has no address, and of a service that has none.
    public var place: ServerLocation?
    /// What is known now about which server it is; `nil` when the ping found out nothing about it.
    public var record: ServerRecord?
    /// What a replica says of its replication; `nil` when it was not asked.
    public var replication: ReplicationReading?
    /// How far a primary's log is, in bytes; `nil` when it was not asked, is no primary, or does not tell.
    public var walPosition: UInt64?
    /// What tells the server from others; `nil` when it was not asked.
    public var identity: String?

    public init(
        failure: PingFailure? = nil, place: ServerLocation? = nil, record: ServerRecord? = nil,
        replication: ReplicationReading? = nil, walPosition: UInt64? = nil, identity: String? = nil
    ) {
        self.failure = failure
        self.place = place
        self.record = record
        self.replication = replication
        self.walPosition = walPosition
        self.identity = identity
    }
}

/// Where a ping looks for its server.
public struct ServerLocation: Hashable, Sendable {
    /// In order of preference; never empty.
    public let addresses: [SocketAddress]
    /// Which of several servers it is; `nil` of one that has no alternatives.
    public let server: Endpoint?
    /// Whether a server has answered at the first of them, be it with a refusal. Else they are what the name look-up
    /// said, and nobody knows yet whether there is anybody.
    public let isTested: Bool

    public init(_ addresses: [SocketAddress], server: Endpoint? = nil, isTested: Bool) {
        self.addresses = addresses
        self.server = server
        self.isTested = isTested
    }

    /// Whether it is to take the place of what is known: the name is new or has moved altogether, or it is known now who
    /// answers.
    package func replaces(_ known: ServerLocation?) -> Bool {
        isTested || Set(known?.addresses ?? []).isDisjoint(with: addresses)
    }
}

/// What routes have to know of an alias beside whether it is up, as its pings and sessions have it.
public struct AliasFacts: Hashable, Sendable {
    /// Where it is; `nil` until a ping has looked for it.
    public var place: ServerLocation?
    /// Why it is not to serve although it is up; `nil` while it is fresh.
    public var staleness: Staleness?
    /// Its latest ping that could tell found it in the wrong role, or no longer following its primary: it is not served from
    /// even when no other alias is left.
    public var mustNotServe: Bool
    /// What new sessions should know of it while it is up.
    public var standing: ServiceStanding

    public init(
        place: ServerLocation? = nil, staleness: Staleness? = nil, mustNotServe: Bool = false,
        standing: ServiceStanding = ServiceStanding()
    ) {
        self.place = place
        self.staleness = staleness
        self.mustNotServe = mustNotServe
        self.standing = standing
    }
}

/// What a ping must find out, and its time limit.
public struct PingRequest: Hashable, Sendable {
    /// The time limit of the whole ping: name look-up, connect, login, queries.
    public var limit: Duration
    /// What earlier pings found out about which server the alias is.
    public var record: ServerRecord
    /// Whether the ping asks a primary for the end of its log.
    public var wantsWALPosition: Bool
    /// Whether the ping asks the server for its identity.
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

/// Which of its possible servers an alias is, as far as pings have found out.
public struct ServerRecord: Hashable, Sendable {
    /// The server that last passed a ping; `nil` until one has.
    public var known: Endpoint?
    /// The server that is used until ``known`` is set, although it refuses the monitor; `nil` if there is none.
    public var refusing: Endpoint?

    public init(known: Endpoint? = nil, refusing: Endpoint? = nil) {
        self.known = known
        self.refusing = refusing
    }
}

/// The result of a ping.
public struct PingAnswer: Hashable, Sendable {
    /// Why the ping failed; `nil` if it succeeded.
    public var failure: PingFailure?
    /// Where the ping looks for the server; `nil` if the name has no address, or if the service has no location.
    public var place: ServerLocation?
    /// What is now known about which server the alias is; `nil` if the ping found out nothing about it.
    public var record: ServerRecord?
    /// What a replica reports of its replication; `nil` if the ping did not ask.
    public var replication: ReplicationReading?
    /// The end of a primary's log, in bytes; `nil` if the ping did not ask, or if the server is no primary or does
    /// not report it.
    public var walPosition: UInt64?
    /// The identity of the server; `nil` if the ping did not ask.
    public var identity: String?
    /// The TLS session of the ping; `nil` without TLS, and if the ping failed.
    public var tls: TLSFacts?

    public init(
        failure: PingFailure? = nil, place: ServerLocation? = nil, record: ServerRecord? = nil,
        replication: ReplicationReading? = nil, walPosition: UInt64? = nil, identity: String? = nil,
        tls: TLSFacts? = nil
    ) {
        self.failure = failure
        self.place = place
        self.record = record
        self.replication = replication
        self.walPosition = walPosition
        self.identity = identity
        self.tls = tls
    }
}

/// Where a ping looks for its server.
public struct ServerLocation: Hashable, Sendable {
    /// The addresses of the server, in order of preference; never empty.
    public let addresses: [SocketAddress]
    /// Which of several servers this is; `nil` for an alias without alternatives.
    public let server: Endpoint?
    /// Whether a server has answered at the first address, even with a refusal. If not, the addresses are the result
    /// of the name look-up, and no server is known to be there.
    public let isTested: Bool

    public init(_ addresses: [SocketAddress], server: Endpoint? = nil, isTested: Bool) {
        self.addresses = addresses
        self.server = server
        self.isTested = isTested
    }

    /// Whether this location replaces the known one: a server has answered at it, or it shares no address with the
    /// known one.
    package func replaces(_ known: ServerLocation?) -> Bool {
        isTested || Set(known?.addresses ?? []).isDisjoint(with: addresses)
    }
}

/// What routes need to know about an alias, in addition to whether it is up. Pings and sessions report these facts.
public struct AliasFacts: Hashable, Sendable {
    /// Where the alias is; `nil` until a ping has looked it up.
    public var place: ServerLocation?
    /// Why the alias should not serve although it is up; `nil` while its data is fresh.
    public var staleness: Staleness?
    /// Whether a ping found the server in the wrong role, or no longer following its primary, and no ping has succeeded
    /// since. Such an alias does not serve, even if no other alias is left.
    public var mustNotServe: Bool
    /// What new sessions need to know about the alias while it is up.
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

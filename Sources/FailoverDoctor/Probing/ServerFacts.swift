import FailoverChecks
package import FailoverCore
import FailoverSystem
package import FailoverTLS

/// What a database server reports about itself after a login, as far as the user has the permission to see it.
package struct ServerFacts: Hashable, Sendable {
    /// Equal for two names of one server, and different for two servers.
    package var identity: String
    package var version: ServerVersion
    package var topology: ReplicationTopology
    /// The time zone of sessions that do not set one; `nil` if the server does not report it.
    package var timeZone: String?
    package var clock: ClockReading?
    package var connections: ConnectionCounts?
    /// The statement that permits the user to see how far the server is behind; `nil` if the user already has the
    /// permission.
    package var lagGrant: String?
    /// What lets the user see which sessions are in a transaction: statements, or settings of the server; `nil` if the
    /// user already sees it.
    package var attestRemedy: String?
    /// The server's certificate, if the connection uses TLS.
    package var certificate: CertificateFacts?
    /// PostgreSQL: `default_transaction_read_only` is refused as a start-up parameter.
    package var refusesReadOnlyParameter = false
    /// MySQL and MariaDB only.
    package var hostBlocking: HostBlocking?
    /// Why the ping's own query failed.
    package var pingQueryFailure: PingFailure?

    package init(identity: String, version: ServerVersion, topology: ReplicationTopology) {
        self.identity = identity
        self.version = version
        self.topology = topology
    }
}

/// A server's product and version.
package struct ServerVersion: Hashable, Sendable {
    /// `PostgreSQL`, `MySQL` or `MariaDB`.
    package var product: String
    /// The part that changes behaviour: `15` of PostgreSQL 15.4, `10.11` of MariaDB 10.11.6.
    package var series: String

    package init(product: String, series: String) {
        self.product = product
        self.series = series
    }
}

/// The number of sessions that a server accepts, and the number that it has now.
package struct ConnectionCounts: Hashable, Sendable {
    /// `max_connections`
    package var maximum: Int
    /// The part that is reserved for administrators.
    package var reserved: Int
    /// The current client sessions, without the one that asks; with PostgreSQL, without pings too.
    package var used: Int

    /// A number of sessions as the server reports it; `nil` if it is out of range.
    static func count(_ text: String?) -> Int? { text.flatMap { Int32($0) }.flatMap { $0 < 0 ? nil : Int($0) } }

    /// The number of sessions that are not reserved for administrators.
    package var available: Int { maximum - reserved }

    package init(maximum: Int, reserved: Int, used: Int) {
        self.maximum = maximum
        self.reserved = reserved
        self.used = used
    }
}

/// How a MySQL or MariaDB server blocks addresses after interrupted handshakes.
package struct HostBlocking: Hashable, Sendable {
    /// `max_connect_errors`: after this number of interrupted handshakes in a row, the server blocks the address.
    package var limit: Int
    /// Whether the server counts interrupted handshakes. It does not if it resolves no names or has no host cache.
    package var isOn: Bool
    /// Connections from this machine's address that ended before a login, since counting began; `nil` if the user has
    /// no permission to see the number.
    package var errors: Int?
    /// Connections from this machine's address that were refused because it was blocked.
    package var refusals: Int?
    /// The statement that clears the host cache.
    package var forget: String

    package init(
        limit: Int, isOn: Bool, errors: Int? = nil, refusals: Int? = nil, forget: String = "FLUSH HOSTS"
    ) {
        self.limit = limit
        self.isOn = isOn
        self.errors = errors
        self.refusals = refusals
        self.forget = forget
    }
}

/// Where a server's data comes from, and whether it accepts writes.
package struct ReplicationTopology: Hashable, Sendable {
    /// A server that a replica follows.
    package struct Source: Hashable, Sendable {
        /// The host in the replica's configuration: a name, an address, or the directory of a socket.
        package var host: String
        package var port: Int
        /// The source's `server_id`; `nil` with PostgreSQL, and before the replica has connected to the source.
        package var serverID: String?

        package init(host: String, port: Int, serverID: String? = nil) {
            self.host = host
            self.port = port
            self.serverID = serverID
        }
    }

    /// PostgreSQL: whether the server is in recovery. MySQL and MariaDB: whether it has a source, or, if the user has
    /// no permission to see that, whether it is read-only.
    package var isReplica: Bool
    /// Whether the server refuses clients' writes.
    package var isReadOnly: Bool
    /// PostgreSQL's system identifier, which a primary and its replicas share, or the name of MySQL's replication group;
    /// `nil` if the user has no permission to see it, and outside a group.
    package var cluster: String?
    /// PostgreSQL's timeline, which changes at each promotion; `nil` if the user has no permission to see it.
    package var timeline: Int?
    /// The `server_id` of MySQL and MariaDB.
    package var serverID: String?
    /// The servers that this one follows; `nil` if the user has no permission to see them.
    package var sources: [Source]?
    /// Why a replica does not follow its source now; `nil` if it follows, or if the user has no permission to see that.
    package var stopped: String?

    package init(isReplica: Bool, isReadOnly: Bool) {
        self.isReplica = isReplica
        self.isReadOnly = isReadOnly
    }
}

/// The difference between a server's clock and this machine's, from one query.
package struct ClockReading: Hashable, Sendable {
    /// The server's time minus this machine's.
    package var offset: Duration
    /// The largest possible error of the offset, in either direction: half of the time that the query took.
    package var uncertainty: Duration

    package init(offset: Duration, uncertainty: Duration) {
        self.offset = offset
        self.uncertainty = uncertainty
    }

    /// - Parameters:
    ///   - server: the time in the server's answer.
    ///   - asked: when the query was sent.
    ///   - answered: when the answer arrived.
    package init(server: WallTime, asked: WallTime, answered: WallTime) {
        let half = (answered.sinceEpoch - asked.sinceEpoch) / 2
        offset = server.sinceEpoch - asked.sinceEpoch - half
        uncertainty = max(half, .zero)
    }

    /// The smallest possible difference between two servers' clocks; zero if they may be equal.
    package func surelyApart(from other: ClockReading) -> Duration {
        let difference = offset > other.offset ? offset - other.offset : other.offset - offset
        return max(.zero, difference - uncertainty - other.uncertainty)
    }
}

/// What was found at the addresses of a server.
package struct ServerProbe: Sendable {
    /// The answer from one address.
    package struct Answer: Sendable {
        package var address: String
        /// The value is `nil` for a server that is only connected to (`engine: tcp`).
        package var facts: Result<ServerFacts?, PingFailure>

        package init(address: String, facts: Result<ServerFacts?, PingFailure>) {
            self.address = address
            self.facts = facts
        }
    }

    /// Why the name did not resolve; `nil` if it did.
    package var unresolved: PingFailure?
    /// The addresses of the name, for each look-up.
    package var lookUps: [Set<String>]
    /// The answers from the addresses of the first look-up, in the order in which they are tried.
    package var answers: [Answer]

    package init(unresolved: PingFailure? = nil, lookUps: [Set<String>] = [], answers: [Answer] = []) {
        self.unresolved = unresolved
        self.lookUps = lookUps
        self.answers = answers
    }

    /// The facts from the first address that answers as expected; `nil` if none does, or if the protocol is unknown.
    package var facts: ServerFacts? {
        answers.lazy.compactMap { try? $0.facts.get() }.first
    }

    /// Why there are no facts about the server; `nil` if there are.
    package var failure: PingFailure? {
        if let unresolved { return unresolved }
        var failure: PingFailure?
        for answer in answers {
            switch answer.facts {
            case .success: return nil
            case .failure(let error): failure = failure ?? error
            }
        }
        return failure
    }
}

/// Examines one server at one address, on a thread that may block. It ends soon after the attempt's deadline.
protocol ServerExamination: Sendable {
    /// What the server reports about itself; `nil` if the protocol is unknown.
    ///
    /// - Throws: why the login failed, or what went wrong later.
    func facts(_ attempt: PingAttempt) throws(PingFailure) -> ServerFacts?
}

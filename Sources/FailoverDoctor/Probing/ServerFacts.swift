package import FailoverCore
import FailoverSystem

/// What a database server says of itself to somebody who has logged in, as far as that user may see it.
package struct ServerFacts: Hashable, Sendable {
    /// The same for two names of one server, and for no two servers.
    package var identity: String
    package var version: ServerVersion
    package var topology: ReplicationTopology
    /// The zone of sessions that ask for none; `nil` if the server does not say.
    package var timeZone: String?
    package var clock: ClockReading?
    package var connections: ConnectionCounts?
    /// The statement that lets the user see how far behind the server is; `nil` when it may.
    package var lagGrant: String?
    /// The certificate of the server, where the connection has TLS.
    package var certificate: CertificateFacts?
    /// PostgreSQL: sessions can't ask for `default_transaction_read_only` at their start.
    package var refusesReadOnlyParameter = false
    /// MySQL and MariaDB.
    package var hostBlocking: HostBlocking?
    /// Why the ping's own query did not succeed.
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

/// How many sessions a server takes and has.
package struct ConnectionCounts: Hashable, Sendable {
    /// `max_connections`
    package var maximum: Int
    /// Those of them that only administrators get.
    package var reserved: Int
    /// Sessions of clients now, without the one that asks; with PostgreSQL without pings too.
    package var used: Int

    /// What a server says of a number of sessions; `nil` if it is none that a server can have.
    static func count(_ text: String?) -> Int? { text.flatMap { Int32($0) }.flatMap { $0 < 0 ? nil : Int($0) } }

    /// How many everybody may have.
    package var available: Int { maximum - reserved }

    package init(maximum: Int, reserved: Int, used: Int) {
        self.maximum = maximum
        self.reserved = reserved
        self.used = used
    }
}

/// How a MySQL or MariaDB server locks out addresses from which connections go wrong.
package struct HostBlocking: Hashable, Sendable {
    /// `max_connect_errors`: so many in a row from an address, and it is locked out.
    package var limit: Int
    /// Whether it happens at all: a server that resolves no names, or keeps no cache, counts nothing.
    package var isOn: Bool
    /// Connections from this machine's address that ended before a login, since the counts began; `nil` if the user may not
    /// see them.
    package var errors: Int?
    /// Connections from there that were turned away because it was locked out.
    package var refusals: Int?
    /// The statement that forgets them.
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

/// Whose data a server has, and whether it takes writes.
package struct ReplicationTopology: Hashable, Sendable {
    /// A server that another follows.
    package struct Source: Hashable, Sendable {
        /// As the follower is told: a name, an address, or the folder of a socket.
        package var host: String
        package var port: Int
        /// Its `server_id`; `nil` while the follower has not met it, and with PostgreSQL.
        package var serverID: String?

        package init(host: String, port: Int, serverID: String? = nil) {
            self.host = host
            self.port = port
            self.serverID = serverID
        }
    }

    /// PostgreSQL: in recovery. MySQL and MariaDB: has a source, or is read-only and hides whether it has.
    package var isReplica: Bool
    /// Whether clients' writes are refused.
    package var isReadOnly: Bool
    /// PostgreSQL's system identifier, which a primary and its replicas have in common; `nil` if hidden.
    package var cluster: String?
    /// PostgreSQL's timeline, of which each promotion begins a new one; `nil` if hidden.
    package var timeline: Int?
    /// The `server_id` of MySQL and MariaDB.
    package var serverID: String?
    /// Whom it follows; `nil` if the user may not see that.
    package var sources: [Source]?
    /// Why a replica does not follow at the moment; `nil` if it does, or hides it.
    package var stopped: String?

    package init(isReplica: Bool, isReadOnly: Bool) {
        self.isReplica = isReplica
        self.isReadOnly = isReadOnly
    }
}

/// How far a server's clock is from this machine's, as one question tells.
package struct ClockReading: Hashable, Sendable {
    /// The server's time less this machine's.
    package var offset: Duration
    /// The answer's way took time: so far off the offset may be, either way.
    package var uncertainty: Duration

    package init(offset: Duration, uncertainty: Duration) {
        self.offset = offset
        self.uncertainty = uncertainty
    }

    /// - Parameters:
    ///   - server: what the server answered.
    ///   - asked: when it was asked.
    ///   - answered: when the answer was there.
    package init(server: WallTime, asked: WallTime, answered: WallTime) {
        let half = (answered.sinceEpoch - asked.sinceEpoch) / 2
        offset = server.sinceEpoch - asked.sinceEpoch - half
        uncertainty = max(half, .zero)
    }

    /// How far the clocks of two servers are surely apart; zero when they may be the same.
    package func surelyApart(from other: ClockReading) -> Duration {
        let difference = offset > other.offset ? offset - other.offset : other.offset - offset
        return max(.zero, difference - uncertainty - other.uncertainty)
    }
}

/// What was found at a server's name and behind it.
package struct ServerProbe: Sendable {
    /// What one address answered.
    package struct Answer: Sendable {
        package var address: String
        /// `nil` of a server that is only connected to.
        package var facts: Result<ServerFacts?, PingFailure>

        package init(address: String, facts: Result<ServerFacts?, PingFailure>) {
            self.address = address
            self.facts = facts
        }
    }

    /// Why the name has no address; `nil` if it has.
    package var unresolved: PingFailure?
    /// The addresses of the name, each time that it was asked for.
    package var lookUps: [Set<String>]
    /// Those of the first look-up, in the order in which they are tried.
    package var answers: [Answer]

    package init(unresolved: PingFailure? = nil, lookUps: [Set<String>] = [], answers: [Answer] = []) {
        self.unresolved = unresolved
        self.lookUps = lookUps
        self.answers = answers
    }

    /// What the first address says that answers as it should; `nil` when none does, or nothing is known of the protocol.
    package var facts: ServerFacts? {
        answers.lazy.compactMap { try? $0.facts.get() }.first
    }

    /// Why there is nothing to know; `nil` if there is.
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

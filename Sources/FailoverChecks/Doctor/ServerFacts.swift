package import FailoverCore

/// What a database server says of itself to somebody who has logged in, as far as that user may see it.
package struct ServerFacts: Hashable, Sendable {
    /// The same for two names of one server, and for no two servers.
    package var identity: String
    package var version: ServerVersion
    package var lineage: Lineage
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

    package init(identity: String, version: ServerVersion, lineage: Lineage) {
        self.identity = identity
        self.version = version
        self.lineage = lineage
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

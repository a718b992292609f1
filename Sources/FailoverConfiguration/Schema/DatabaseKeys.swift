import FailoverCore

extension Schema {
    static let databaseExamples = KeyDocumentation.Content.named(
        [("slave", [databaseAlias.documentation])],
        more: "default: {engine: postgres, host: db1.example.com, user: monitor}")

    static let databaseAlias = SectionSchema(
        "a database alias", DatabaseAlias(name: "", server: DatabaseServer(engine: .postgres, endpoint: .nowhere))
    ) {
        """
        What the server speaks. `tcp` is any other protocol: the server is pinged by connecting to it, and its \
        sessions are relayed unread.
        """
        Key("engine", \.server.engine, .choice, required: true, example: "postgres")
        """
        A host name, an IP address, or unix:/path for a socket. A name is resolved again at every ping. A list names \
        several servers, each with a port of its own if it needs one, and the alias is the one of them that has the \
        `role`. With `role: primary`, [db1.example.com, "db2.example.com:5434"] is the new primary after every \
        promotion, and sessions on the former one are closed. While two of them accept writes, the alias stays where \
        it was. The servers of a list share `ping_timeout`.
        """
        Key("host", type: "text or list", required: true, example: "db2.example.com") {
            $0.server.endpoints.writtenHost
        }
        "The port that the server listens on."
        Key("port", type: ValueKind.port.name, default: "5432 (postgres), 3306 (mysql), none (tcp)", example: "5433") {
            $0.server.endpoints.writtenPort
        }
        login.map { $0.only(notTCP) }
        """
        How a PostgreSQL server may ask for the password. By default scram, which reveals nothing; md5 and cleartext \
        only where the server is known to be the right one: over a Unix socket, and with `tls` verify-ca or \
        verify-full. If the server asks in another way, the ping fails with the reason "authentication" and says so.
        """
        Key(
            "password_methods", \.server.passwordMethods,
            .optional(.choices(ifEmpty: "needs at least one method")), default: "as above",
            example: "[scram, md5]"
        ).only(postgresOnly(otherwise: "engine mysql has no use for it"))
        replication.map { $0.only(notTCP, notPrimary) }
        """
        Like `max_lag`, in bytes of the primary's log; the replica is fresh again at half of it. With `max_lag` too, \
        either is enough. The pings of the replica, and of each alias that a route fails over to from it, ask where \
        the log ends.
        """
        Key("max_lag_bytes", \.replicationOrNone.maxLagBytes, .optional(.bytes), default: "no limit", example: "64MB")
            .only(
                postgresOnly(otherwise: "engine mysql has no use for it: only PostgreSQL reports positions in bytes"),
                notPrimary)
        """
        How to treat a replica that is cut off from its primary, or does not apply what it receives. down: an outage. \
        lag: it lags from that moment on. ignore: nothing.
        """
        Key<ReplicationPolicy>("replication_stopped", \.whenStopped, .choice)
            .at(\DatabaseAlias.replicationOrNone, writtenIf: { $0.server.replication != nil }).only(notTCP, notPrimary)
        "Sessions that the proxy may hold on this alias. When it is full, the next one serves. 0 is no limit."
        Key("max_connections", \.maxConnections, .limit)
        "The alias's share of the sessions that several aliases of a route serve side by side, relative to theirs."
        Key("weight", \.weight, .number(1...1000))
        """
        How to treat a server that is alive and refuses the ping because it is full, the password is wrong or has \
        expired, the account is locked, a privilege is missing, or the certificate does not verify. degraded: the \
        alias stays up and keeps its sessions, and a warning is logged and sent to notifiers. down: such a ping counts \
        as the ping of a dead server.
        """
        Key("refused_ping", \.monitor.refusedPing, .choice).only(notTCP)
        "Time limit of a whole ping while the alias is up, name look-up included. With engine tcp it is 3s by default."
        Key("ping_timeout", \.monitor.pingTimeout, .duration)
        "Time limit of a whole ping while the alias is down. With engine tcp it is 3s by default."
        Key("outage_ping_timeout", \.monitor.outagePingTimeout, .duration)
        "As at the top level, for this alias."
        overridingKeys("the top level").map { $0.at(\.monitor) }
    }

    /// How the ping logs in, and what the server must be.
    @KeysBuilder<DatabaseAlias> private static var login: [Key<DatabaseAlias>] {
        "The user that the ping logs in as."
        Key("user", \.server.user, .optional(.text), required: true, example: "monitor")
        """
        The password of that user. A password from a file is read again when the server does not accept it, so that \
        you can rotate it.
        """
        Key("password", \.server.password, .optional(.secret), default: "none", example: "{env: MONITOR_PASSWORD}")
        "The database that the ping logs in to."
        Key(
            "name", \.server.databaseName, .optional(.text), default: "named like the user (postgres), none (mysql)",
            example: "app")
        "TLS of the ping, by libpq's names. Sessions are not affected: clients bring their own TLS."
        Key("tls", \.server.tls, .choice)
        """
        A PEM file with the authorities that may have signed the server's certificate, for `tls` verify-ca and \
        verify-full.
        """
        authorities(\.server.tlsAuthorities)
        "A statement that must succeed."
        Key("ping_query", \.server.pingQuery, .text)
        """
        What the server must be. A replica that was promoted, or a primary that is read-only, is down with the reason \
        "wrong role". PostgreSQL is asked whether it is in recovery. MySQL and MariaDB are asked for read_only and, \
        where that is off, whether the server replicates: for that, the user needs REPLICA MONITOR (MariaDB 10.5 and \
        later) or REPLICATION CLIENT.
        """
        Key(
            "role", \.server.role, .optional(.choice), default: "either, and the server is not asked",
            example: "replica")
    }

    @KeysBuilder<DatabaseAlias> private static var replication: [Key<DatabaseAlias>] {
        """
        A replica that is further behind its primary is stale: it keeps its sessions, and new ones go to the route's \
        other aliases. Every ping measures the lag, so `monitoring_ping_frequency` must not be longer than this. With \
        PostgreSQL, the user needs pg_read_all_stats, which pg_monitor has. While the primary is idle there is no \
        lag.
        """
        Key("max_lag", \.replicationOrNone.limit, .optional(.duration), default: "no limit", example: "10s")
        "A stale replica is fresh again when it is no further behind than this."
        Key(
            "lag_recovers_at", \.replicationOrNone.recovery, .optional(.duration), default: "half of max_lag",
            example: "3s"
        ).only(needsMaxLag, noLongerThanMaxLag)
        """
        A statement that answers with one number: how many seconds the replica is behind, from a table that the \
        primary writes the time into each second. The number replaces what the server says of itself. NULL, or no \
        row, means unknown, and the replica is stale. The user must be allowed to read the table. In the example, \
        "at" is a timestamptz that was set to clock_timestamp(). With the table of pt-heartbeat --utc, the query for \
        MySQL and MariaDB is "SELECT TIMESTAMPDIFF(MICROSECOND, MAX(ts), UTC_TIMESTAMP(6)) / 1000000 FROM \
        percona.heartbeat". Such a query compares two clocks: a replica's clock that is behind the primary's hides as \
        much lag as that.
        """
        Key(
            "heartbeat_query", \.replicationOrNone.heartbeatQuery, .optional(.text), default: "none",
            example: "SELECT EXTRACT(EPOCH FROM clock_timestamp() - max(at)) FROM heartbeat"
        ).only(needsMaxLag)
    }

    // MARK: - Conditions

    private static let notTCP = Condition<DatabaseAlias>(key: "engine", note: "Not for engine tcp.") { alias in
        alias.server.engine == .tcp ? "engine tcp has no use for it: its ping only connects" : nil
    }

    private static func postgresOnly(otherwise message: String) -> Condition<DatabaseAlias> {
        Condition(key: "engine", note: "Only for engine postgres.") { alias in
            alias.server.engine == .mysql ? message : notTCP.objection(alias)
        }
    }

    private static let notPrimary = Condition<DatabaseAlias>(key: "role", note: "Not with `role: primary`.") { alias in
        alias.server.role == .primary ? "a primary has no lag; it is for a replica" : nil
    }

    private static let needsMaxLag = Condition<DatabaseAlias>(key: "max_lag", note: "Needs `max_lag`.") { alias in
        alias.server.replication?.maxLag == nil ? "needs `max_lag`" : nil
    }

    private static let noLongerThanMaxLag = Condition<DatabaseAlias>(key: "max_lag") { alias in
        let policy = alias.replicationOrNone
        return policy.maxLag.map { policy.recoversAt > $0 } == true ? "must not be longer than `max_lag`" : nil
    }
}

// Key paths for the rows above.
extension DatabaseAlias {
    /// The server's replication policy, or one without limits.
    fileprivate var replicationOrNone: ReplicationPolicy {
        get { server.replication ?? ReplicationPolicy(maxLag: nil) }
        set { server.replication = newValue }
    }
}

extension ReplicationPolicy {
    /// `max_lag`, which also sets the lag at which the replica recovers, unless the file sets it.
    fileprivate var limit: Duration? {
        get { maxLag }
        set { (maxLag, recoversAt) = (newValue, (newValue ?? .zero) / 2) }
    }

    /// `lag_recovers_at`, which has no effect without `max_lag`.
    fileprivate var recovery: Duration? {
        get { maxLag == nil ? nil : recoversAt }
        set { recoversAt = newValue ?? recoversAt }
    }
}

extension [Endpoint] {
    /// The value of `host`: one server with `port` beside it, or a list of servers.
    var writtenHost: YAML? {
        switch first {
        case _ where count > 1: .list(map { .text($0.description) })
        case .tcp(let host, _): .text(host)
        case let endpoint: endpoint.map { .text($0.description) }
        }
    }

    /// The value of `port`.
    var writtenPort: YAML? {
        if count == 1, case .tcp(_, let port) = first { .plain(String(port)) } else { nil }
    }
}

extension Endpoint {
    /// A placeholder until the file's endpoint has been read.
    static let nowhere = Endpoint.unix(path: "")
}

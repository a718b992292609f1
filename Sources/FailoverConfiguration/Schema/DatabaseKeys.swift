import FailoverCore

extension Schema {
    static let databaseExamples = KeyDocumentation.Content.named(
        [("slave", [databaseAlias.documentation])],
        more: "default: {engine: postgres, host: db1.example.com, user: monitor}")

    static let databaseAlias = SectionSchema(
        "a database alias", DatabaseAlias(name: "", server: DatabaseServer(engine: .postgres, endpoint: .nowhere))
    ) {
        """
        The protocol of the server. `mysql` is MySQL and MariaDB; `mariadb` means the same. `tcp` is any other \
        protocol: the ping only connects, and sessions are relayed without being read.
        """
        Key("engine", \.server.engine, .engine, required: true, example: "postgres")
        """
        A host name, an IP address, or unix:/path for a socket. A name is resolved again at every ping. A list names \
        several servers, each with its own port if necessary; the alias is the one that has the `role`. With `role: \
        primary`, [db1.example.com, "db2.example.com:5434"] follows the primary: after a promotion the alias is the \
        new primary, and sessions on the former one are closed. While two of them accept writes, the alias does not \
        move. The servers of a list share `ping_timeout`.
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
        The methods by which a PostgreSQL server may request the password. By default scram, which reveals nothing; \
        md5 and cleartext only if the server is authenticated: over a Unix socket, or with `tls` verify-ca or \
        verify-full. If the server requests another method, the ping fails with the reason "authentication", and the \
        message names the method.
        """
        Key(
            "password_methods", \.server.passwordMethods,
            .optional(.choices(ifEmpty: "needs at least one method")), default: "as above",
            example: "[scram, md5]"
        ).only(postgresOnly(otherwise: "not used with engine mysql")).since("0.2")
        replication.map { $0.only(notTCP, notPrimary) }
        """
        Like `max_lag`, in bytes of the primary's log. The replica is fresh again at half of it. If `max_lag` is set \
        too, exceeding one of them is enough. The pings of the replica, and of each alias that its routes fail over \
        to, also read the position of the end of the log.
        """
        Key("max_lag_bytes", \.replicationOrNone.maxLagBytes, .optional(.bytes), default: "no limit", example: "64MB")
            .only(
                postgresOnly(otherwise: "not used with engine mysql: only PostgreSQL reports positions in bytes"),
                notPrimary)
        """
        How to treat a replica that is cut off from its primary, or does not apply what it receives. down: as an \
        outage. lag: its lag grows from that moment. ignore: no effect.
        """
        Key<ReplicationPolicy>("replication_stopped", \.whenStopped, .choice)
            .at(\DatabaseAlias.replicationOrNone, writtenIf: { $0.server.replication != nil }).only(notTCP, notPrimary)
        """
        Maximum number of sessions on this alias. When it is reached, new sessions go to the next alias. 0 is no \
        limit.
        """
        Key("max_connections", \.maxConnections, .limit)
        "Weight of this alias, relative to the others, where several aliases of a route serve side by side."
        Key("weight", \.weight, .number(1...1000))
        """
        How to treat a server that is alive and refuses the ping because it is full, the password is wrong or has \
        expired, the account is locked, a privilege is missing, or the certificate does not verify. degraded: the \
        alias stays up and keeps its sessions, and a warning is logged and sent to notifiers. down: such a ping counts \
        as the ping of a dead server.
        """
        Key("refused_ping", \.monitor.refusedPing, .choice).only(notTCP).since("0.2")
        "Time limit of a whole ping while the alias is up, name look-up included. With engine tcp it is 3s by default."
        Key("ping_timeout", \.monitor.pingTimeout, .duration)
        "Time limit of a whole ping while the alias is down. With engine tcp it is 3s by default."
        Key("outage_ping_timeout", \.monitor.outagePingTimeout, .duration)
        "The same as at the top level, for this alias only."
        overridingKeys("the top level").map { $0.at(\.monitor) }
    }

    /// How the ping logs in, and which role the server must have.
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
        "TLS of the ping, with the values of libpq's sslmode. Sessions are not affected: clients use their own TLS."
        Key("tls", \.server.tls, .choice)
        """
        A PEM file with the certificate authorities that are trusted for the server, for `tls` verify-ca and \
        verify-full.
        """
        authorities(\.server.tlsAuthorities)
        "The statement that the ping runs. It must succeed."
        Key("ping_query", \.server.pingQuery, .text)
        """
        The role that the server must have. A replica that was promoted, or a primary that is read-only, is down with \
        the reason "wrong role". On PostgreSQL the ping asks whether the server is in recovery. On MySQL and MariaDB \
        it reads read_only and, where that is off, whether the server replicates: for that, the user needs REPLICA \
        MONITOR (MariaDB 10.5 and later) or REPLICATION CLIENT.
        """
        Key(
            "role", \.server.role, .optional(.choice), default: "either, and the role is not checked",
            example: "replica")
    }

    @KeysBuilder<DatabaseAlias> private static var replication: [Key<DatabaseAlias>] {
        """
        The largest lag. A replica that is further behind its primary is stale: it keeps its sessions, and new ones go \
        to the route's other aliases. Every ping measures the lag, so `monitoring_ping_frequency` must not be longer \
        than this. With PostgreSQL, the user needs pg_read_all_stats, which is part of pg_monitor. While the primary \
        is idle, there is no lag.
        """
        Key("max_lag", \.replicationOrNone.limit, .optional(.duration), default: "no limit", example: "10s")
        "A stale replica is fresh again when it is no further behind than this."
        Key(
            "lag_recovers_at", \.replicationOrNone.recovery, .optional(.duration), default: "half of max_lag",
            example: "3s"
        ).only(needsMaxLag, noLongerThanMaxLag)
        """
        A statement that returns one number: how many seconds the replica is behind, read from a table into which the \
        primary writes the time every second. This number replaces the lag that the server reports. NULL, or no row, \
        means unknown, and the replica is stale. The user must be allowed to read the table. In the example, "at" is a \
        timestamptz that was set to clock_timestamp(). With the table of pt-heartbeat --utc, the query for MySQL and \
        MariaDB is "SELECT TIMESTAMPDIFF(MICROSECOND, MAX(ts), UTC_TIMESTAMP(6)) / 1000000 FROM percona.heartbeat". \
        Such a query compares two clocks: if the replica's clock is behind the primary's, the result is too small by \
        that difference.
        """
        Key(
            "heartbeat_query", \.replicationOrNone.heartbeatQuery, .optional(.text), default: "none",
            example: "SELECT EXTRACT(EPOCH FROM clock_timestamp() - max(at)) FROM heartbeat"
        ).only(needsMaxLag)
    }

    // MARK: - Conditions

    private static let notTCP = Condition<DatabaseAlias>(key: "engine", note: "Not for engine tcp.") { alias in
        alias.server.engine == .tcp ? "not used with engine tcp: its ping only connects" : nil
    }

    private static func postgresOnly(otherwise message: String) -> Condition<DatabaseAlias> {
        Condition(key: "engine", note: "Only for engine postgres.") { alias in
            alias.server.engine == .mysql ? message : notTCP.objection(alias)
        }
    }

    private static let notPrimary = Condition<DatabaseAlias>(key: "role", note: "Not with `role: primary`.") { alias in
        alias.server.role == .primary ? "a primary has no lag; this key is for replicas" : nil
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
    /// `max_lag`. It also sets `lag_recovers_at`, which is read later, to half of itself.
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

extension ValueKind<DatabaseServer.Engine> {
    /// An engine. `mariadb` is another name of `mysql`.
    fileprivate static var engine: Self {
        let engines = DatabaseServer.Engine.allCases.map { ($0.rawValue, $0) } + [("mariadb", .mysql)]
        return ValueKind(name: engines.map(\.0).joined(separator: " | "), write: choice.write) {
            $0.choice(among: engines)
        }
    }
}

extension [Endpoint] {
    /// The value of `host`: one server, whose port is in `port`, or a list of servers.
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
    /// A placeholder until the endpoint in the file has been read.
    static let nowhere = Endpoint.unix(path: "")
}

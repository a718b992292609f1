import FailoverCore
import FailoverSystem

extension Schema {
    /// The keys of a service of type database.
    @KeysBuilder<DatabaseRoute> static var route: [Key<DatabaseRoute>] {
        """
        The alias that serves the sessions of this route while it is up. The aliases of a list serve side by side.
        """
        Key("db_alias", type: "name of an alias, or a list", example: "slave") { .list($0.ownAliases.map(YAML.text)) }
        """
        How several aliases share new sessions. least_sessions: to the alias with the fewest sessions for its weight. \
        round_robin: in turn, by weight. first: to the first that is up and has room. Open sessions stay where they \
        are.
        """
        Key("balance", \.balance.policy, .choice)
        """
        How long the share of an alias that serves again takes to grow from zero to its full size. With 0, the alias \
        has its full share at once.
        """
        Key("slow_start", \.balance.slowStart, .durationOrZero)
        "If fewer aliases of `db_alias` than this are up and fresh, new sessions go to the failover aliases first."
        Key("min_replicas", \.minReplicas, .number(1...1000))
        """
        The alias that serves the sessions while those of `db_alias` are down. A list is tried in order; [] means \
        none.
        """
        Key("failover_db_alias", type: "name of an alias, or a list", example: "default") {
            .list($0.failoverAliases.map(YAML.text))
        }
        """
        Whether a stale alias (`max_lag`) serves when all that are fresh are down. Otherwise clients receive an error \
        that says why no alias serves them.
        """
        Key("serve_stale", \.servesStale, .boolean)
        """
        The largest fraction of the route's aliases that new sessions try later because sessions suspect them. At \
        least one alias always keeps its position in the order.
        """
        Key("max_suspect_share", \.maxSuspectShare, .fraction).since("0.2")
        listeners
        """
        TLS with the clients ends at the proxy, which then reads their sessions. It begins TLS with the servers \
        according to the key `tls` of each alias. Without this section, TLS passes through to the servers. Not for \
        engine tcp. With engine mysql both connections of a session are encrypted or neither is, so an alias with \
        `tls: disable` is not possible.
        """
        Key("client_tls", \.clientTLSOrNone, clientTLS, default: "off", writtenIf: { $0.clientTLS != nil }).since("0.2")
        limits
        session.map { $0.at(\.session) }
        """
        Errors of a server that request a ping; until its result, new sessions try other servers first (see \
        `suspect_after`): \(BackendErrorKind.allCases.map(\.rawValue).joined(separator: ", ")).
        """
        Key("error_triggers", \.errorTriggers, triggers, default: "all", example: "[connect_refused, reset]")
        "Errors in addition to those of `error_triggers`."
        Key("extra_error_triggers", \.extraErrorTriggers, triggers)
    }

    @KeysBuilder<DatabaseRoute> private static var listeners: [Key<DatabaseRoute>] {
        "The addresses that clients connect to."
        Key(
            "listen", \.listen, .list(.listener, ifEmpty: "a route needs at least one address to listen on"),
            required: true, example: #"["127.0.0.1:6432", "unix:/run/failover/slave.sock"]"#)
        """
        The mode of the file of a Unix socket that the route listens on, as chmod(1) takes it. Write permission is \
        needed to connect.
        """
        Key(
            "listen_mode", \.socketAccess.mode, .optional(.fileMode), default: "as the umask leaves it",
            example: #""0660""#
        ).only(socketOnly).since("0.2")
        "The group of that file, by name or number. The process must be a member of it."
        Key("listen_group", \.socketAccess.group, .optional(.group), default: "the process's", example: #""0""#).only(
            socketOnly
        ).since("0.2")
        "Networks that clients may come from."
        Key(
            "allow", \.allow, .optional(.networks(ifEmpty: "allows no client; leave it out to allow all")),
            default: "every client that reaches the listener", example: #"[127.0.0.0/8, "::1"]"#)
    }

    @KeysBuilder<DatabaseRoute> private static var limits: [Key<DatabaseRoute>] {
        """
        Maximum number of sessions of the route. Further clients wait (`queue_timeout`) or receive an error. 0 is no \
        limit.
        """
        Key("max_connections", \.maxConnections, .limit)
        """
        How long a client waits for a free connection if `max_connections` of the route, or of every alias that can \
        serve it, is reached. Clients are served in order of arrival. At most 1000 clients wait at each limit. With 0, \
        clients do not wait.
        """
        Key("queue_timeout", \.session.queueTimeout, .durationOrNone).since("0.2")
        """
        Maximum number of sessions of one source: an IPv4 address, or the /64 of an IPv6 one; with `accept_proxy`, the \
        address in the header. Clients of a Unix socket are not limited. 0 is no limit.
        """
        Key("max_connections_per_source", \.maxConnectionsPerSource, .limit).since("0.2")
        "Maximum number of new sessions of one source per second, which is also the largest burst. 0 is no limit."
        Key("connection_rate_per_source", \.connectionRatePerSource, .limit).since("0.2")
    }

    static let clientTLS = SectionSchema("client_tls", ClientTLSSettings(certificate: "", key: "")) {
        """
        A PEM file with the proxy's certificate, followed by those of its authorities. Each reload reads the files of \
        this section again; open sessions keep the former certificate.
        """
        Key(
            "certificate", \.certificate, .path, required: true,
            example: "/etc/failover/proxy.crt")
        "A PEM file with the certificate's private key, without a password."
        Key("key", \.key, .privateKeyFile, required: true, example: "/etc/failover/proxy.key")
        "A PEM file with the authorities that a client's certificate must be of."
        Key(
            "client_ca", \.clientAuthorities, .optional(.path), default: "no certificate is requested",
            example: "/etc/failover/clients-ca.crt")
        "Whether clients in clear text are refused."
        Key("require", \.isRequired, .boolean)
        "The oldest version of TLS that clients may use."
        Key("min_version", \.minVersion, .choice)
        """
        How many TLS handshakes with clients may be in progress at the same time, over all event loops. Further \
        clients wait: the sources take turns, and no source has more than half. A waiting client falls under \
        `client_startup_timeout`.
        """
        Key("max_handshakes", \.maxHandshakes, .number(1...100_000))
    }

    private static let socketOnly = Condition<DatabaseRoute>(key: "listen") { route in
        let hasSocket = route.listen.contains { if case .unix = $0 { true } else { false } }
        return hasSocket ? nil : "has an effect only with a listener at unix:/path"
    }

    private static let triggers = ValueKind<Set<BackendErrorKind>>.choices().named("error or list")
}

extension DatabaseRoute {
    /// `extra_error_triggers`. They are stored in ``errorTriggers``.
    fileprivate var extraErrorTriggers: Set<BackendErrorKind> {
        get { [] }
        set { errorTriggers.formUnion(newValue) }
    }

    /// ``clientTLS``, or one without files.
    fileprivate var clientTLSOrNone: ClientTLSSettings {
        get { clientTLS ?? ClientTLSSettings(certificate: "", key: "") }
        set { clientTLS = newValue }
    }
}

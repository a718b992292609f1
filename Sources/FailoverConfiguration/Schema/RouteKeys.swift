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
        How long the share of an alias that is back takes to grow from nothing to all of it. 0 gives it all of its \
        share at once.
        """
        Key("slow_start", \.balance.slowStart, .durationOrZero)
        "With fewer aliases of `db_alias` up and fresh, the failover aliases take the new sessions."
        Key("min_replicas", \.minReplicas, .number(1...1000))
        """
        The alias that serves the sessions while those of `db_alias` are down. A list is tried in order; [] stands for \
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
        The largest part of the route's aliases that new sessions try later because sessions suspect them. The last \
        alias that is left is never tried later.
        """
        Key("max_suspect_share", \.maxSuspectShare, .fraction)
        listeners
        limits
        session.map { $0.at(\.session) }
        """
        Errors of a server that request a ping, and turn new sessions away until it is answered: \
        \(BackendErrorKind.allCases.map(\.rawValue).joined(separator: ", ")).
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
        ).only(socketOnly)
        "The group of that file, by name or number. The process must be in it."
        Key("listen_group", \.socketAccess.group, .optional(.group), default: "the process's", example: #""0""#).only(
            socketOnly)
        "Networks that clients may come from."
        Key(
            "allow", \.allow, .optional(.networks(ifEmpty: "allows no client; leave it out to allow all")),
            default: "every client that reaches the listener", example: #"[127.0.0.0/8, "::1"]"#)
    }

    @KeysBuilder<DatabaseRoute> private static var limits: [Key<DatabaseRoute>] {
        "Sessions that the route may hold. Further clients are told that it is full. 0 is no limit."
        Key("max_connections", \.maxConnections, .limit)
        """
        How long a client waits, in order of arrival, where `max_connections` of the route, or of every alias that \
        could serve it, is reached. At most 1000 clients wait for each at a time. With 0 they do not wait.
        """
        Key("queue_timeout", \.session.queueTimeout, .durationOrNone)
        """
        Sessions that one source may hold: an IPv4 address, or the /64 of an IPv6 one; with `accept_proxy`, the \
        address in the header. Clients of a Unix socket are not limited. 0 is no limit.
        """
        Key("max_connections_per_source", \.maxConnectionsPerSource, .limit)
        "New sessions of one source per second; as many may come at once. 0 is no limit."
        Key("connection_rate_per_source", \.connectionRatePerSource, .limit)
    }

    private static let socketOnly = Condition<DatabaseRoute>(key: "listen") { route in
        let hasSocket = route.listen.contains { if case .unix = $0 { true } else { false } }
        return hasSocket ? nil : "has an effect only with a listener at unix:/path"
    }

    private static let triggers = ValueKind<Set<BackendErrorKind>>.choices().named("error or list")
}

extension DatabaseRoute {
    /// The additions to ``errorTriggers``, which stores them.
    fileprivate var extraErrorTriggers: Set<BackendErrorKind> {
        get { [] }
        set { errorTriggers.formUnion(newValue) }
    }
}

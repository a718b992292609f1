import FailoverCore

extension Schema {
    /// The kinds of services, by `type`.
    static let serviceTypes: [(word: String, meaning: SectionSchema<ServiceConfiguration>)] = [
        ("database", databaseService), ("tcp", tcpService), ("memcached", memcachedService),
        ("rabbitmq", rabbitmqService), ("redis", redisService), ("command", commandService),
    ]

    static let serviceExamples = KeyDocumentation.Content.named([
        ("slave", [databaseService.documentation]),
        ("search", [tcpService.documentation]),
        ("cache", [memcachedService.documentation]),
        ("celery", [rabbitmqService.documentation]),
        ("sessions", [redisService.documentation]),
        ("billing", [commandService.documentation, commandService.sharedDocumentation("every service")]),
    ])

    private static let databaseService = service("database", .database(DatabaseRoute(aliases: [], listen: []))) {
        "A route: listeners whose clients are served by the first alias that is up."
        type("database")
        route.map { $0.at(\.asRoute) }
    }

    private static let tcpService = service("tcp", .watched(.tcp(.nowhere), .connectOnly)) {
        "Any server: pinged by connecting to it."
        type("tcp")
        "A host name, an IP address, or unix:/path for a socket."
        Key("host", type: "text", required: true, example: "search.example.com") { $0.asEndpoints.writtenHost }
        "The port that the server listens on. You need it unless the host is a socket."
        Key("port", type: ValueKind.port.name, default: "none", example: "9200") { $0.asEndpoints.writtenPort }
        timeout
    }

    private static let memcachedService = service("memcached", .watched(.memcached([]), .connectOnly)) {
        "A pool of memcached servers: down when one of them is down."
        type("memcached")
        "All servers of the pool."
        Key(
            "servers", \.asEndpoints,
            .list(.server, ifEmpty: "a pool has at least one server", ifRepeated: "is already in the pool"),
            required: true, example: #"["cache1.example.com:11211", "cache2.example.com:11211"]"#)
        timeout
    }

    private static let rabbitmqService = service(
        "rabbitmq", .watched(.rabbitmq(RabbitMQServer(endpoint: .nowhere)), .connectOnly)
    ) {
        "A broker that speaks AMQP 0-9-1. The ping logs in and opens a channel in the virtual host."
        type("rabbitmq")
        "amqp://user:password@host:port/vhost, or amqps:// for TLS. The default user is guest, the default vhost is /."
        Key(
            "url", \.asRabbitMQ, .url(RabbitMQServer.init(url:), hidden: \.hiddenURL), required: true,
            example: "amqps://monitor:example-password@broker.example.com:5671/app")
        "A PEM file with the certificate authorities that are trusted for the server."
        authorities(\.asRabbitMQ.tlsAuthorities)
        timeout
    }

    private static let redisService = service(
        "redis", .watched(.redis(RedisServer(endpoint: .nowhere)), .connectOnly)
    ) {
        "A Redis server. It is also down while it loads its data, or if it is a replica that has lost its primary."
        type("redis")
        "redis://user:password@host:port/database, or rediss:// for TLS. User, password and database may be left out."
        Key(
            "url", \.asRedis, .url(RedisServer.init(url:), hidden: \.hiddenURL), required: true,
            example: "rediss://monitor:example-password@redis.example.com:6379/0")
        "A PEM file with the certificate authorities that are trusted for the server."
        authorities(\.asRedis.tlsAuthorities)
        timeout
    }

    private static let commandService = service(
        "command",
        .watched(
            .command(ServiceCommands(ping: [])),
            MonitorSettings(pingTimeout: .seconds(10), outagePingTimeout: .seconds(10), refusedPing: .down))
    ) {
        """
        Any service that a program can check. The commands have FAILOVER_SERVICE, FAILOVER_EVENT (ping, outage, \
        recovery), on an outage FAILOVER_REASON, and the `failover_settings` in their environment.
        """
        type("command")
        "Exit status 0 is up. Any other status is down, and the last line of output is the reason."
        Key("ping", \.asCommands.ping, .command, required: true, example: "[/usr/local/bin/example-check, --fast]")
        "A command that is run on an outage."
        Key(
            "failover", \.asCommands.failover, .optional(.command), default: "none",
            example: "[/usr/local/bin/example-alert, down]")
        "A command that is run on a recovery."
        Key(
            "recover", \.asCommands.recover, .optional(.command), default: "none",
            example: "[/usr/local/bin/example-alert, up]")
        "Time limit of each command. At the limit it is killed, with all processes that it started."
        Key("timeout", \.ownMonitor.bothTimeouts, .duration)
    }

    @KeysBuilder<ServiceConfiguration> private static var timeout: [Key<ServiceConfiguration>] {
        "Time limit of a ping."
        Key("timeout", \.ownMonitor.bothTimeouts, .duration)
    }

    private static func service(
        _ type: String, _ kind: ServiceConfiguration.Kind,
        @KeysBuilder<ServiceConfiguration> keys: () -> [Key<ServiceConfiguration>]
    ) -> SectionSchema<ServiceConfiguration> {
        SectionSchema(
            "a service of type \(type)", ServiceConfiguration(name: "", kind: kind), shared: everyService, keys: keys)
    }

    @KeysBuilder<ServiceConfiguration> private static var everyService: [Key<ServiceConfiguration>] {
        "Names, as of environment variables, and their values: published in `settings_file` while the service is down."
        Key(
            "failover_settings", \.failoverSettings, .variables, default: "none",
            example: #"{BILLING_MODE: "queue only"}"#)
        "While the service is down, these routes refuse new sessions."
        Key(
            "close_during_outage", \.closureOrNone, closeDuringOutage, default: "none", writtenIf: { $0.closure != nil }
        )
        "The same as at the top level, for this service only; with type database, for the aliases of its `db_alias`."
        overridingKeys("the alias or the top level").map { $0.at(\.ownMonitor, writtenIf: { !$0.isRoute }) }
    }

    static let closeDuringOutage = SectionSchema("close_during_outage", RouteClosure(routes: [], message: "")) {
        "The routes: names of services of type database."
        Key(
            "routes", \.routes, .list(.text.named("name"), ifEmpty: "needs at least one route"), required: true,
            example: "[slave]")
        "The message for clients, in their database's protocol."
        Key(
            "message", \.message, .text, default: "closed during the outage of NAME",
            example: "reports are closed while billing is down")
    }
}

// Key paths for the rows above: the parts of a service, by type. For a service of another type they return empty
// values.
extension ServiceConfiguration {
    /// The schema of its `type`.
    var schema: SectionSchema<ServiceConfiguration>? {
        let word = if case .watched(let server, _) = kind { server.typeName } else { "database" }
        return Schema.serviceTypes.first { $0.word == word }?.meaning
    }

    var isRoute: Bool { if case .database = kind { true } else { false } }

    var asRoute: DatabaseRoute {
        get { if case .database(let route) = kind { route } else { DatabaseRoute(aliases: [], listen: []) } }
        set { kind = .database(newValue) }
    }

    /// The monitoring of a service that is not a route. The monitoring keys of a route apply to its aliases.
    var ownMonitor: MonitorSettings {
        get { if case .watched(_, let settings) = kind { settings } else { MonitorSettings() } }
        set { if case .watched(let server, _) = kind { kind = .watched(server, newValue) } }
    }

    private var server: WatchedServer? {
        get { if case .watched(let server, _) = kind { server } else { nil } }
        set { if let newValue { kind = .watched(newValue, ownMonitor) } }
    }

    /// The server of a service of type tcp, or the servers of a service of type memcached.
    var asEndpoints: [Endpoint] {
        get {
            switch server {
            case .tcp(let endpoint): [endpoint]
            case .memcached(let endpoints): endpoints
            case .rabbitmq, .redis, .command, nil: []
            }
        }
        set { server = .memcached(newValue) }
    }

    var asRabbitMQ: RabbitMQServer {
        get { if case .rabbitmq(let server) = server { server } else { RabbitMQServer(endpoint: .nowhere) } }
        set { server = .rabbitmq(newValue) }
    }

    var asRedis: RedisServer {
        get { if case .redis(let server) = server { server } else { RedisServer(endpoint: .nowhere) } }
        set { server = .redis(newValue) }
    }

    var asCommands: ServiceCommands {
        get { if case .command(let commands) = server { commands } else { ServiceCommands(ping: []) } }
        set { server = .command(newValue) }
    }

    /// ``closure``, or a closure of no routes.
    var closureOrNone: RouteClosure {
        get { closure ?? RouteClosure(routes: [], message: "closed during the outage of \(name)") }
        set { closure = newValue }
    }
}

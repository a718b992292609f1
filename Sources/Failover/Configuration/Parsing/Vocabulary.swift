import FailoverCore

/// The keys that one kind of section may have.
struct Vocabulary: Sendable {
    /// What the section is, for a message: `a database alias`.
    let section: String
    /// The keys that are read.
    let keys: [String]
    /// Keys of the configuration reference that a later version reads.
    let later: Set<String>

    /// Why a key does not belong here, and which was probably meant; `nil` if it does.
    func objection(to key: String) -> (message: String, suggestion: String?)? {
        if keys.contains(key) { return nil }
        if later.contains(key) { return ("not available in this version", nil) }
        if key == "<<" { return ("YAML merge keys are not supported", nil) }
        if let home = Self.all.first(where: { $0.keys.contains(key) }) {
            return ("unknown key here; it belongs to \(home.section)", nil)
        }
        if let suggestion = KeySuggestion.nearest(to: key, among: keys) {
            return ("unknown key; did you mean `\(suggestion)`?", suggestion)
        }
        return ("unknown key", nil)
    }

    static let all =
        [top, databaseAlias, closeDuringOutage, log] + ServiceType.allCases.map(\.vocabulary)
        + NotifierType.allCases.map(\.vocabulary) + [admin]
    private static let monitor = MonitorOverrides.keys
    private static let consequences = ["failover_settings", "close_during_outage"]
    private static let filters = ["type", "services", "events", "timeout"]

    static let top = Vocabulary(
        section: "the top level",
        keys: monitor + [
            "databases", "services", "notify", "settings_file", "takeover_socket", "admin", "log", "worker_threads",
            "shutdown_grace", "max_buffer_memory",
        ],
        later: [])

    static let databaseAlias = Vocabulary(
        section: "a database alias",
        keys: [
            "engine", "host", "port", "user", "password", "password_methods", "name", "tls", "tls_ca", "ping_query",
            "role", "max_connections", "weight", "refused_ping",
        ] + ReplicationPolicy.keys + MonitorOverrides.keysOfAlias,
        later: [])

    static let databaseService = Vocabulary(
        section: "a service of type database",
        keys: [
            "type", "db_alias", "failover_db_alias", "listen", "listen_mode", "listen_group", "allow",
            "max_connections", "connect_timeout",
            "greeting_timeout", "client_startup_timeout", "idle_timeout", "tcp_user_timeout", "keepalive", "on_outage",
            "on_recovery", "drain_deadline", "drain_rate", "send_proxy", "accept_proxy", "error_triggers",
            "extra_error_triggers", "serve_stale", "max_suspect_share", "balance", "slow_start", "min_replicas",
            "failover_read_only", "read_only_opaque", "half_close_timeout", "stall_timeout", "queue_timeout",
            "max_connections_per_source", "connection_rate_per_source",
        ] + monitor + consequences,
        later: [])

    static let tcpService = watched("tcp", ["host", "port"])
    static let memcachedService = watched("memcached", ["servers"])
    static let rabbitmqService = watched("rabbitmq", ["url", "tls_ca"])
    static let redisService = watched("redis", ["url", "tls_ca"])
    static let commandService = watched("command", ["ping", "failover", "recover"])

    private static func watched(_ type: String, _ keys: [String]) -> Vocabulary {
        Vocabulary(
            section: "a service of type \(type)", keys: ["type"] + keys + ["timeout"] + monitor + consequences,
            later: [])
    }

    static let closeDuringOutage = Vocabulary(
        section: "close_during_outage", keys: ["routes", "message"], later: [])

    static let webhook = notifier("webhook", ["url", "format", "tls_ca"])
    static let notifyCommand = notifier("command", ["run"])
    static let mail = notifier("mail", ["to", "from", "sendmail"])

    private static func notifier(_ type: String, _ keys: [String]) -> Vocabulary {
        Vocabulary(section: "a notifier of type \(type)", keys: filters + keys, later: [])
    }

    static let admin = Vocabulary(section: "admin", keys: ["listen", "token"], later: [])

    static let log = Vocabulary(section: "log", keys: ["level", "format"], later: [])
}

import FailoverCore

/// The configuration file as tables: a section is a ``SectionSchema``, a key is a row.
///
/// The row of a key is used to read, check, write, suggest and document it. The code in Parsing handles what concerns
/// several keys or sections. The tables of large sections are in files of their own.
enum Schema {
    static let top = SectionSchema("the top level", TopLevel()) {
        monitorKeys.map { $0.at(\.monitor, writtenIf: { _ in false }) }

        "The database aliases by name. A name consists of letters, digits, `_`, `.` and `-`."
        Key("databases", type: "section", default: "none", databaseExamples) { top in
            .mapping(top.configuration.databases.map { ($0.name, .mapping(databaseAlias.written($0))) })
        }
        "What is monitored and, for databases, served to clients: services and routes by name."
        Key("services", type: "section", default: "none", serviceExamples) { top in
            .mapping(top.configuration.services.map { ($0.name, .mapping($0.schema?.written($0) ?? [])) })
        }
        """
        The notifiers, which receive events such as outages and recoveries. Each has its own queue, so a slow notifier \
        does not delay the others.
        """
        Key("notify", type: "list of sections", default: "none", notifierExamples) { top in
            .list(top.configuration.notifiers.map { .mapping($0.schema?.written($0) ?? []) })
        }
        "Where the `failover_settings` of services that are down are published, as JSON."
        Key(
            "settings_file", \.configuration.settingsFile, .optional(.path), default: "none",
            example: "/run/failover/settings.json")
        """
        The Unix socket through which `failover serve --takeover` with the same file takes over from the running \
        process.
        """
        Key(
            "takeover_socket", \.configuration.takeoverSocket, .optional(.path), default: "none",
            example: "/run/failover/takeover.sock")
        "The status page, the API and the metrics."
        Key("admin", \.configuration.adminOrNone, admin, default: "off", writtenIf: { $0.configuration.admin != nil })
        "What is logged to standard error."
        Key("log", \.configuration.log, log)
        "Event loop threads. 0 is one for each core."
        Key("worker_threads", \.configuration.workerThreads, .workerThreads, example: "0")
        """
        How long sessions may continue after a request to stop. During that time, sessions are closed at transaction \
        boundaries, at the `drain_rate` of their route. At the end, the others are closed. Each client receives a \
        message if its protocol allows one at that point.
        """
        Key("shutdown_grace", \.configuration.shutdownGrace, .durationOrZero)
        """
        Memory for data that a client or a server cannot accept yet, at most 16kB per direction of a session. When all \
        of it is in use, the proxy reads only as much as it can pass on at once. 0 is no limit.
        """
        Key("max_buffer_memory", \.configuration.maxBufferMemory, .limitOfBytes).since("0.2")
    }

    static let admin = SectionSchema("admin", AdminConfiguration(listen: [])) {
        "The addresses that the status page, the API and the metrics are served on."
        Key(
            "listen", \.listen, .list(.listener, ifEmpty: "needs at least one address to listen on"), required: true,
            example: #"["unix:/run/failover/admin.sock", "127.0.0.1:8404"]"#)
        """
        The token that clients must send: at least eight characters. Clients of a Unix socket need none. It is \
        required if other machines can reach one of the addresses.
        """
        Key("token", \.token, .optional(.token), default: "none", example: "{env: FAILOVER_ADMIN_TOKEN}")
    }

    static let log = SectionSchema("log", LogConfiguration()) {
        "The lowest level that is logged."
        Key("level", \.level, .choice)
        "text: plain lines. json: one JSON object per line."
        Key("format", \.format, .choice)
    }

    /// The keys of every kind of section.
    static let vocabularies =
        [top.vocabulary, databaseAlias.vocabulary, closeDuringOutage.vocabulary, clientTLS.vocabulary, log.vocabulary]
        + serviceTypes.map(\.meaning.vocabulary) + notifierTypes.map(\.meaning.vocabulary) + [admin.vocabulary]

    /// The key that decides the kind of a section. Code in Parsing reads it before the other keys.
    static func type<Settings>(_ name: String) -> Key<Settings> {
        Key("type", type: name, required: true, example: name) { _ in .text(name) }
    }

    /// The key of a file with certificate authorities.
    static func authorities<Settings>(_ path: any WritableKeyPath<Settings, String?> & Sendable) -> Key<Settings> {
        Key(
            "tls_ca", path, .optional(.certificateFile), default: "the system's authorities",
            example: "/etc/ssl/certs/ca-certificates.crt")
    }
}

/// The content of the top level: the configuration, and the settings that aliases and services inherit.
struct TopLevel: Sendable {
    var configuration = Configuration()
    var monitor = MonitorSettings()
}

extension Configuration {
    /// ``admin``, or a section without listeners.
    fileprivate var adminOrNone: AdminConfiguration {
        get { admin ?? AdminConfiguration(listen: []) }
        set { admin = newValue }
    }
}

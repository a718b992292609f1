public import FailoverCore
public import Logging

/// The settings of a proxy. ``load(path:environment:)`` and ``parse(_:fileName:environment:)`` check all values. A
/// configuration that you create in code is not checked.
public struct Configuration: Hashable, Sendable {
    /// The database aliases, in file order. Names are unique.
    public var databases: [DatabaseAlias]
    /// The services, in file order. Names are unique.
    public var services: [ServiceConfiguration]
    /// The notifiers, which receive events such as outages and recoveries. Default: none. Key: `notify`.
    public var notifiers: [NotifierConfiguration]
    /// The file with the `failover_settings` of the services that are down. Default: none. Key: `settings_file`.
    public var settingsFile: String?
    /// The Unix socket through which another process can take over. Default: none. Key: `takeover_socket`.
    public var takeoverSocket: String?
    /// The admin plane, by which operators observe and control the process. Default: off. Key: `admin`.
    public var admin: AdminConfiguration?
    /// The number of event loop threads, at least 1. Default: 1; in the file, one per core. Key: `worker_threads`.
    public var workerThreads: Int
    /// How long sessions may continue after a request to stop; 0 closes them. Default: 30 s. Key: `shutdown_grace`.
    public var shutdownGrace: Duration
    /// The number of bytes that all sessions together may buffer for peers that cannot accept them yet; `nil` sets no
    /// limit. Default: 256 MiB. Key: `max_buffer_memory`.
    public var maxBufferMemory: Int?
    /// What is logged, and in which format.
    public var log: LogConfiguration

    public init(
        databases: [DatabaseAlias] = [],
        services: [ServiceConfiguration] = [],
        notifiers: [NotifierConfiguration] = [],
        settingsFile: String? = nil,
        takeoverSocket: String? = nil,
        admin: AdminConfiguration? = nil,
        workerThreads: Int = 1,
        shutdownGrace: Duration = .seconds(30),
        maxBufferMemory: Int? = 256 << 20,
        log: LogConfiguration = LogConfiguration()
    ) {
        self.databases = databases
        self.services = services
        self.notifiers = notifiers
        self.settingsFile = settingsFile
        self.takeoverSocket = takeoverSocket
        self.admin = admin
        self.workerThreads = workerThreads
        self.shutdownGrace = shutdownGrace
        self.maxBufferMemory = maxBufferMemory
        self.log = log
    }
}

extension Configuration {
    /// The alias with this name; `nil` if there is none.
    public func database(named name: String) -> DatabaseAlias? { databases.first { $0.name == name } }

    /// The service with this name; `nil` if there is none.
    public func service(named name: String) -> ServiceConfiguration? { services.first { $0.name == name } }
}

/// The `admin` section: where the API, the status page and the metrics are served, and the token that clients need.
public struct AdminConfiguration: Hashable, Sendable {
    /// The listeners; at least one.
    public var listen: [Endpoint]
    /// The token that clients must send; `nil`, the default, requires none. Clients of a Unix socket need no token. A
    /// token is required if other machines can reach a listener.
    public var token: Secret?

    public init(listen: [Endpoint], token: Secret? = nil) {
        self.listen = listen
        self.token = token
    }
}

/// The `log` section.
public struct LogConfiguration: Hashable, Sendable {
    /// The format of the log lines.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// One line of text per event.
        case text
        /// One JSON object per line.
        case json
    }

    /// The lowest level that is logged; `info` by default.
    public var level: Logger.Level
    /// `text` by default.
    public var format: Format

    public init(level: Logger.Level = .info, format: Format = .text) {
        self.level = level
        self.format = format
    }
}

/// One entry of `notify`: which events are sent, and in which way.
public struct NotifierConfiguration: Hashable, Sendable {
    /// The way in which an event is sent.
    public enum Kind: Hashable, Sendable {
        /// `webhook`: the event is the body of an HTTP POST. The URL often contains a token. `tlsAuthorities` is the
        /// path of a PEM file; `nil` trusts the system's authorities.
        case webhook(url: Secret, format: WebhookFormat, tlsAuthorities: String?)
        /// `command`: a program reads the event, as JSON, from its standard input. The strings are its absolute path
        /// and its arguments.
        case command([String])
        /// `mail`: a message through sendmail(8).
        case mail(to: [String], from: String, sendmail: String)
    }

    public var kind: Kind
    /// The services whose events are sent; `nil`, the default, selects all of them.
    public var services: Set<String>?
    /// The events that are sent; all of them by default.
    public var events: Set<FailoverEvent.Kind.Name>
    /// Time limit of one attempt. Default: 10 s. Key: `timeout`.
    public var timeout: Duration

    public init(
        kind: Kind, services: Set<String>? = nil,
        events: Set<FailoverEvent.Kind.Name> = Set(FailoverEvent.Kind.Name.allCases), timeout: Duration = .seconds(10)
    ) {
        self.kind = kind
        self.services = services
        self.events = events
        self.timeout = timeout
    }
}

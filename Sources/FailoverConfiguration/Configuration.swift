public import FailoverCore
public import Logging

/// The settings of a running proxy. ``load(path:environment:)`` and ``parse(_:fileName:environment:)`` make it from
/// checked values; no later code checks them again.
public struct Configuration: Hashable, Sendable {
    /// The database aliases, in file order. Names are unique.
    public var databases: [DatabaseAlias]
    /// The services, in file order. Names are unique.
    public var services: [ServiceConfiguration]
    /// The notifiers for outages, recoveries and stale replicas. `notify`, none by default.
    public var notifiers: [NotifierConfiguration]
    /// The file that publishes the `failover_settings` of services that are down. `settings_file`, none by default.
    public var settingsFile: String?
    /// The Unix socket at which another process can take over from this one. `takeover_socket`, none by default.
    public var takeoverSocket: String?
    /// How operators observe and control the process. `admin`, off by default.
    public var admin: AdminConfiguration?
    /// Event loop threads; at least 1. In the file, 0 (the default) stands for one per core.
    public var workerThreads: Int
    /// How long sessions may go on after a request to stop. `shutdown_grace`, 30 s; zero closes them at once.
    public var shutdownGrace: Duration
    /// Bytes that all sessions together may buffer for peers that have no room for them. `max_buffer_memory`, 256
    /// MiB; `nil` is no limit.
    public var maxBufferMemory: Int?
    /// What is logged, and how.
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
    /// The alias of this name, if there is one.
    public func database(named name: String) -> DatabaseAlias? { databases.first { $0.name == name } }

    /// The service of this name, if there is one.
    public func service(named name: String) -> ServiceConfiguration? { services.first { $0.name == name } }
}

/// The `admin` section: where the API, the status page and the metrics are served, and the token that clients need.
public struct AdminConfiguration: Hashable, Sendable {
    /// The listeners; at least one.
    public var listen: [Endpoint]
    /// The token that clients must send; clients of a Unix socket need none. Required if other machines can reach a
    /// listener.
    public var token: Secret?

    public init(listen: [Endpoint], token: Secret? = nil) {
        self.listen = listen
        self.token = token
    }
}

/// The `log` section.
public struct LogConfiguration: Hashable, Sendable {
    /// The form of a log line.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// Lines for people.
        case text
        /// One JSON object per line, for machines.
        case json
    }

    /// The least important level that is logged; `info` by default.
    public var level: Logger.Level
    /// `text` by default.
    public var format: Format

    public init(level: Logger.Level = .info, format: Format = .text) {
        self.level = level
        self.format = format
    }
}

/// One entry of `notify`: which events are sent, and how.
public struct NotifierConfiguration: Hashable, Sendable {
    /// How an event is sent.
    public enum Kind: Hashable, Sendable {
        /// `webhook`: the event as the body of an HTTP POST. The URL often holds a token.
        case webhook(url: Secret, format: WebhookFormat, tlsAuthorities: String?)
        /// `command`: the event as JSON on a command's standard input.
        case command([String])
        /// `mail`: a message through sendmail(8).
        case mail(to: [String], from: String, sendmail: String)
    }

    public var kind: Kind
    /// The services whose events are sent; `nil`, the default, selects all of them.
    public var services: Set<String>?
    /// The events that are sent; all of them by default.
    public var events: Set<FailoverEvent.Kind.Name>
    /// Time limit of one attempt. `timeout`, 10 s.
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

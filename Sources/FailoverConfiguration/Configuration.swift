public import FailoverCore
public import Logging

/// Everything that a running proxy was told. Made by ``load(path:environment:)`` or ``parse(_:fileName:environment:)``,
/// it holds values that were checked; nothing re-checks them.
public struct Configuration: Hashable, Sendable {
    /// The database aliases, in file order. Names are unique.
    public var databases: [DatabaseAlias]
    /// The services, in file order. Names are unique.
    public var services: [ServiceConfiguration]
    /// Who is told of outages and recoveries, and of stale replicas. `notify`, nobody by default.
    public var notifiers: [NotifierConfiguration]
    /// Where the `failover_settings` of services that are down are published; nowhere by default.
    public var settingsFile: String?
    /// Where another process can take this one's place over, a Unix socket's path; nowhere by default.
    public var takeoverSocket: String?
    /// How the process is seen and steered; not at all by default.
    public var admin: AdminConfiguration?
    /// Event loop threads; at least 1. In the file 0, the default, asks for one per core.
    public var workerThreads: Int
    /// How long sessions may go on after a request to stop. `shutdown_grace`, 30 s; zero closes them at once.
    public var shutdownGrace: Duration
    /// Bytes that all sessions together may keep because a peer has no room for them. `max_buffer_memory`, 256 MiB; `nil`
    /// is no limit.
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

/// The `admin` section: where the API, the status page and the metrics are served, and to whom.
public struct AdminConfiguration: Hashable, Sendable {
    /// At least one.
    public var listen: [Endpoint]
    /// What clients must show; not those of a Unix socket. Always there when it listens beyond this machine.
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
        /// A JSON object a line, for machines.
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

/// One entry of `notify`: who is told of events, and of which.
public struct NotifierConfiguration: Hashable, Sendable {
    /// How somebody is told.
    public enum Kind: Hashable, Sendable {
        /// `webhook`: the event as the body of an HTTP POST. The URL often holds a token.
        case webhook(url: Secret, format: WebhookFormat, tlsAuthorities: String?)
        /// `command`: the event as JSON on a command's standard input.
        case command([String])
        /// `mail`: through sendmail(8).
        case mail(to: [String], from: String, sendmail: String)
    }

    public var kind: Kind
    /// The services whose events are told; `nil`, the default, is all of them.
    public var services: Set<String>?
    /// The events that are told; all of them by default.
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

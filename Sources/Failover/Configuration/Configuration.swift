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

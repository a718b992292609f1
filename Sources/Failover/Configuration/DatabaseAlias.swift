public import FailoverCore

/// A named database server, as in Django's `DATABASES`: one entry of `databases`.
public struct DatabaseAlias: Hashable, Sendable {
    /// Letters, digits, `_`, `.` and `-`.
    public var name: String
    /// The server, and how a ping logs in to it.
    public var server: DatabaseServer
    /// How it is monitored: the file's settings, overridden by the alias's, overridden by those of the services whose
    /// `db_alias` it is.
    public var monitor: MonitorSettings
    /// Sessions that the proxy may hold on it, over all routes; `nil`, the default, is no limit.
    public var maxConnections: Int?
    /// What part of the sessions it gets of those that it shares with other aliases; 1 by default.
    public var weight: Int

    public init(
        name: String, server: DatabaseServer, monitor: MonitorSettings = MonitorSettings(), maxConnections: Int? = nil,
        weight: Int = 1
    ) {
        self.name = name
        self.server = server
        self.monitor = monitor
        self.maxConnections = maxConnections
        self.weight = weight
    }
}

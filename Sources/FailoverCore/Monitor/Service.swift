/// Anything that is pinged, and what happens when it goes down and comes back.
///
/// A type that only implements ``ping()`` is notify-only: its outage is logged and notified, and moves nothing.
public protocol Service: Sendable {
    /// Unique among the services of a monitor; it stands in log lines. The type's name unless given.
    var name: String { get }

    /// How often it is pinged, and what decides. ``MonitorSettings``' defaults unless given.
    var settings: MonitorSettings { get }

    /// Checks the service once.
    ///
    /// - Throws: ``PingFailure``, or any other error, when the service is not well.
    func ping() async throws

    /// The same, for services that want to know their time. Calls ``ping()`` unless given.
    ///
    /// - Parameter limit: how long the ping may take as a whole. The monitor stops waiting a moment later.
    func ping(limit: Duration) async throws

    /// The action on an outage: nothing unless given.
    func failover() async throws

    /// The same, for services that want to know why. Calls ``failover()`` unless given.
    func failover(because failure: PingFailure) async throws

    /// The action on a recovery: nothing unless given.
    func recover() async throws

    /// Releases what the service holds beyond one ping, once, when monitoring ends: nothing unless given.
    func cleanup() async
}

extension Service {
    public var name: String { "\(Self.self)" }
    public var settings: MonitorSettings { MonitorSettings() }
    public func ping(limit: Duration) async throws { try await ping() }
    public func failover() async throws {}
    public func failover(because failure: PingFailure) async throws { try await failover() }
    public func recover() async throws {}
    public func cleanup() async {}
}

/// A service whose pings need their time limit.
public protocol TimedService: Service {
    func ping(limit: Duration) async throws
}

extension TimedService {
    /// Pings under the limit of a service that is up.
    public func ping() async throws { try await ping(limit: settings.pingTimeout) }
}

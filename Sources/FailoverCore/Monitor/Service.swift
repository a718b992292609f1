/// Anything that is pinged, and what happens when it goes down and comes back.
///
/// A type that only implements `ping` is notify-only: its outage is logged and notified, and moves nothing.
public protocol Service: Sendable {
    /// Unique among the services of a process; it stands in log lines.
    var name: String { get }

    /// Checks the service once.
    ///
    /// - Parameter limit: how long the ping may take as a whole. The monitor stops waiting a moment later.
    /// - Throws: ``PingFailure``, or any other error, when the service is not well.
    func ping(limit: Duration) async throws

    /// The action on an outage.
    func failover(because failure: PingFailure) async throws

    /// The action on a recovery.
    func recover() async throws

    /// Releases what the service holds beyond one ping, once, when monitoring ends.
    func globalCleanup() async
}

extension Service {
    public func failover(because failure: PingFailure) async throws {}
    public func recover() async throws {}
    public func globalCleanup() async {}
}

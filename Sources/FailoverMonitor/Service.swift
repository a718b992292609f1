// Clients of FailoverMonitor need its settings, failures and events too.
@_exported public import FailoverCore
@_exported public import FailoverSystem

/// A service that can be pinged, and the actions when it goes down and when it comes back.
///
/// A type that only implements ``ping()`` is notify-only: an outage is logged and sent as an event, and has no other
/// effect.
public protocol Service: Sendable {
    /// The name in log lines. It must be unique among the services of a monitor. Default: the name of the type.
    var name: String { get }

    /// How often the service is pinged, and which results change its state. Default: `MonitorSettings()`.
    var settings: MonitorSettings { get }

    /// Checks the service once.
    ///
    /// - Throws: ``PingFailure``, or any other error, if the service is down.
    func ping() async throws

    /// Checks the service once, within a time limit that it can enforce itself. Default: calls ``ping()``.
    ///
    /// - Parameter limit: the time limit of the whole ping. The monitor stops waiting shortly after the limit.
    func ping(limit: Duration) async throws

    /// The action on an outage, called once per outage. Default: none. An error that it throws is logged.
    func failover() async throws

    /// The action on an outage, for services that need the reason. Default: calls ``failover()``.
    func failover(because failure: PingFailure) async throws

    /// The action on a recovery, called once per recovery. Default: none. An error that it throws is logged.
    func recover() async throws

    /// Releases the resources that the service holds beyond one ping. Called once, when monitoring ends. Default:
    /// does nothing.
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

/// A service whose pings report more than whether it is up. It enforces the time limit itself: a ping returns soon
/// after the limit, even if a C library or a program hangs.
package protocol AnsweringService: TimedService {
    /// How old the data may be; `nil` sets no limit.
    var replication: ReplicationPolicy? { get }

    /// Pings once.
    func answer(_ request: PingRequest) async -> PingAnswer
}

extension AnsweringService {
    package func ping(limit: Duration) async throws {
        if let failure = await answer(PingRequest(limit: limit)).failure { throw failure }
    }
}

extension Service {
    /// Pings once, and returns everything that the service reports.
    package func answered(_ request: PingRequest) async -> PingAnswer {
        if let service = self as? any AnsweringService { return await service.answer(request) }
        do {
            try await ping(limit: request.limit)
            return PingAnswer()
        } catch {
            return PingAnswer(failure: error as? PingFailure ?? PingFailure(.other, "\(error)"))
        }
    }
}

/// A service that implements ``ping(limit:)``, because its pings need the time limit.
public protocol TimedService: Service {
    func ping(limit: Duration) async throws
}

extension TimedService {
    /// Pings with the time limit of a service that is up.
    public func ping() async throws { try await ping(limit: settings.pingTimeout) }
}

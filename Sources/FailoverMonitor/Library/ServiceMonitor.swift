public import FailoverCore
import FailoverSystem
public import Logging
public import ServiceLifecycle

/// Monitors the services that your program needs. It pings them when your program requests it.
///
/// By default there is no timer. A ping starts only when you call ``monitor()`` or a similar method, and only if the
/// frequencies of the service allow it. To ping by a timer as well, run the monitor in a `ServiceGroup`, or call
/// ``run()``.
///
/// You can use a monitor from any number of tasks. At most one ping of each service is in flight. The task that started
/// the ping waits for the result and its consequences. Other tasks continue with the known state.
public final class ServiceMonitor: Sendable {
    /// The errors that request pings if the closure of ``monitoring(isolation:_:)`` throws them.
    public let triggers: ErrorTriggers
    private let environment: MonitorEnvironment
    private let onEvent: @Sendable (FailoverEvent) -> Void
    /// In the order of registration.
    private let list = Lock<[MonitoredService]>([])
    private let registered: (stream: AsyncStream<MonitoredService>, add: AsyncStream<MonitoredService>.Continuation)

    /// - Parameters:
    ///   - log: the logger for events: outages are logged at level critical, recoveries at level info.
    ///   - triggers: the errors that request pings; by default `ErrorTriggers.default`.
    ///   - onEvent: called for each event of a service, such as an outage or a recovery, in order. It must not block.
    public convenience init(
        log: Logger = Logger(label: "failover"), triggers: ErrorTriggers = .default,
        onEvent: @escaping @Sendable (FailoverEvent) -> Void = { _ in }
    ) {
        self.init(environment: .ofThisProcess(log: log), triggers: triggers, onEvent: onEvent)
    }

    package init(
        environment: MonitorEnvironment, triggers: ErrorTriggers = .default,
        onEvent: @escaping @Sendable (FailoverEvent) -> Void = { _ in }
    ) {
        self.environment = environment
        self.triggers = triggers
        self.onEvent = onEvent
        let (stream, add) = AsyncStream.makeStream(of: MonitoredService.self)
        registered = (stream, add)
    }

    /// Starts to monitor a service. The service counts as up until its first ping, which the next call of ``monitor()``
    /// starts.
    ///
    /// - Throws: ``DuplicateServiceName`` if a service with this name is already registered.
    public func register(_ service: any FailoverMonitor.Service) throws(DuplicateServiceName) {
        let monitored = MonitoredService(service: service, environment: environment, onEvent: onEvent)
        let isNew = list.withLock { list in
            guard !list.contains(where: { $0.service.name == service.name }) else { return false }
            list.append(monitored)
            return true
        }
        guard isNew else { throw DuplicateServiceName(name: service.name) }
        registered.add.yield(monitored)
    }

    /// The status of each service, in the order of registration.
    public var statuses: [(name: String, status: ServiceStatus)] {
        services.map { ($0.service.name, $0.status) }
    }

    /// The status of a service; `nil` if no service with this name is registered.
    public func status(of name: String) -> ServiceStatus? {
        services.first { $0.service.name == name }?.status
    }

    private var services: [MonitoredService] { list.withLock { $0 } }
}

/// A monitor already has a service with this name.
public struct DuplicateServiceName: Error, Hashable, Sendable, CustomStringConvertible {
    public let name: String
    public var description: String { "a service named \(name) is already registered" }
}

// MARK: - Asking for pings

extension ServiceMonitor {
    /// Pings all services whose frequencies allow it, concurrently, and waits for the results and their consequences.
    /// Call this before work that needs the services. The middleware of the older library did the same.
    public func monitor() async { await ask(.newSession, services) }

    /// Does the same as ``monitor()``. If `outagesOnly` is true, it pings only services that are down.
    public func monitor(outagesOnly: Bool) async {
        await ask(.newSession, outagesOnly ? services.filter { !$0.status.isUp } : services)
    }

    /// Pings all services whose `errorInterval` allows it, because of an error that an outage may have caused. Waits as
    /// ``monitor()`` does, and does not check ``triggers``.
    public func monitor(error: any Error) async { await ask(.doubt, services) }

    /// Requests the same pings without waiting, for callers that cannot wait.
    func noticeError() {
        for service in services { service.trigger(.doubt) }
    }

    private func ask(_ trigger: PingTrigger, _ services: [MonitoredService]) async {
        await withDiscardingTaskGroup { group in
            for service in services { group.addTask { await service.monitor(trigger) } }
        }
    }
}

// MARK: - Around a closure

extension ServiceMonitor {
    /// Calls ``monitor()``, then `body`. It replaces the older library's `@monitor`.
    ///
    /// If `body` throws an error that ``triggers`` contains, pings are requested before the error is rethrown.
    public func monitoring<Value, Failure: Error>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        await monitor()
        do {
            return try await body()
        } catch {
            if triggers.matches(error) { await monitor(error: error) }
            throw error
        }
    }

    /// Pings the services that are down, then calls `body`. It replaces the older library's `@recover_from_outages`.
    public func recoveringFromOutages<Value, Failure: Error>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        await monitor(outagesOnly: true)
        return try await body()
    }
}

// MARK: - By the clock

extension ServiceMonitor: ServiceLifecycle.Service {
    /// Pings by a timer as well, including services that are registered later, until the task is cancelled or the
    /// `ServiceGroup` shuts down. Then it calls ``cleanup()``. Call this once.
    public func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await service in self.registered.stream { group.addTask { await service.run() } }
            }
        }
        await cleanup()
    }

    /// Ends the monitoring, and lets each service release its resources. No pings start after this.
    public func cleanup() async {
        registered.add.finish()
        for service in services { await service.stop() }
    }
}

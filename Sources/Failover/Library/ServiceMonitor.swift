public import FailoverCore
public import Logging
public import ServiceLifecycle

/// The services that a program watches, pinged when the program asks for it.
///
/// Nothing is pinged behind the program's back: a ping starts when ``monitor()`` or one of its kin is called and the
/// service's frequencies allow it. Who wants a timer too runs the monitor in a `ServiceGroup`, or calls ``run()``.
///
/// Safe from any number of tasks. One ping of a service is in flight at a time; the task that started it waits for its
/// answer and for what follows from it, the others go on with what is known.
public final class ServiceMonitor: Sendable {
    /// The errors that ask for pings when ``monitoring(isolation:_:)``'s closure throws them.
    public let triggers: ErrorTriggers
    private let environment: MonitorEnvironment
    private let onEvent: @Sendable (FailoverEvent) -> Void
    /// In the order of registration.
    private let list = Lock<[MonitoredService]>([])
    private let registered: (stream: AsyncStream<MonitoredService>, add: AsyncStream<MonitoredService>.Continuation)

    /// - Parameters:
    ///   - log: where outages (CRITICAL) and recoveries (INFO) are logged.
    ///   - triggers: the errors that ask for pings.
    ///   - onEvent: told of each outage, reminder and recovery of a service, in order; must not wait.
    public convenience init(
        log: Logger = Logger(label: "failover"), triggers: ErrorTriggers = .default,
        onEvent: @escaping @Sendable (FailoverEvent) -> Void = { _ in }
    ) {
        self.init(environment: .ofThisProcess(log: log), triggers: triggers, onEvent: onEvent)
    }

    init(
        environment: MonitorEnvironment, triggers: ErrorTriggers = .default,
        onEvent: @escaping @Sendable (FailoverEvent) -> Void = { _ in }
    ) {
        self.environment = environment
        self.triggers = triggers
        self.onEvent = onEvent
        let (stream, add) = AsyncStream.makeStream(of: MonitoredService.self)
        registered = (stream, add)
    }

    /// Watches a service from now on. It counts as up until its first ping, which the next call of ``monitor()`` starts.
    ///
    /// - Throws: ``DuplicateServiceName`` when a service of this name is registered.
    public func register(_ service: any FailoverCore.Service) throws(DuplicateServiceName) {
        let monitored = MonitoredService(service: service, environment: environment, onEvent: onEvent)
        let isNew = list.withLock { list in
            guard !list.contains(where: { $0.service.name == service.name }) else { return false }
            list.append(monitored)
            return true
        }
        guard isNew else { throw DuplicateServiceName(name: service.name) }
        registered.add.yield(monitored)
    }

    /// What is known of each service, in the order of registration.
    public var statuses: [(name: String, status: ServiceStatus)] {
        services.map { ($0.service.name, $0.status) }
    }

    /// What is known of a service; `nil` if there is none of this name.
    public func status(of name: String) -> ServiceStatus? {
        services.first { $0.service.name == name }?.status
    }

    private var services: [MonitoredService] { list.withLock { $0 } }
}

/// Two services of one monitor would have the same name.
public struct DuplicateServiceName: Error, Hashable, Sendable, CustomStringConvertible {
    public let name: String
    public var description: String { "a service named \(name) is registered already" }
}

// MARK: - Asking for pings

extension ServiceMonitor {
    /// Pings the services whose frequencies allow it, all at once, and waits for their answers and what follows from
    /// them. To be called before work that needs the services, as the older library's middleware did.
    public func monitor() async { await ask(.newSession, services) }

    /// The same; with `outagesOnly`, for those services only that are down.
    public func monitor(outagesOnly: Bool) async {
        await ask(.newSession, outagesOnly ? services.filter { !$0.status.isUp } : services)
    }

    /// Something went wrong that may come from an outage: pings the services whose `errorInterval` allows it.
    public func monitor(error: any Error) async { await ask(.doubt, services) }

    /// The same without waiting, for callers that cannot.
    func noticeError() {
        for service in services { service.trigger(.doubt) }
    }

    private func ask(_ trigger: ServiceStateMachine.Trigger, _ services: [MonitoredService]) async {
        await withDiscardingTaskGroup { group in
            for service in services { group.addTask { await service.monitor(trigger) } }
        }
    }
}

// MARK: - Around a closure

extension ServiceMonitor {
    /// Calls ``monitor()``, then `body`: the older library's `@monitor`.
    ///
    /// An error that `body` throws and that ``triggers`` lists asks for pings before it is thrown on.
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

    /// Pings the services that are down, then calls `body`: the older library's `@recover_from_outages`.
    public func recoveringFromOutages<Value, Failure: Error>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        await monitor(outagesOnly: true)
        return try await body()
    }
}

// MARK: - By the clock

extension ServiceMonitor: ServiceLifecycle.Service {
    /// Pings by the clock as well, services that are registered later too, until the task is cancelled or the
    /// `ServiceGroup` shuts down. Then it ends as by ``cleanup()``. Called once.
    public func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await service in self.registered.stream { group.addTask { await service.run() } }
            }
        }
        await cleanup()
    }

    /// Ends the monitoring and lets each service release what it holds. Nothing is pinged from then on.
    public func cleanup() async {
        registered.add.finish()
        for service in services { await service.stop() }
    }
}

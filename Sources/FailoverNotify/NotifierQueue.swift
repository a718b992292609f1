package import FailoverCore
import FailoverSystem
package import Logging
package import Metrics

/// A way to deliver notifications of events.
package protocol Notifier: Sendable {
    /// The name in log lines. It contains no secret.
    var name: String { get }

    /// Delivers one event.
    ///
    /// - Parameter limit: the time limit of one attempt. An implementation that retries documents how often.
    /// - Throws: an error whose description says why the delivery failed, without a secret.
    func deliver(_ event: FailoverEvent, limit: Duration) async throws
}

/// The events that a notifier receives.
package struct EventFilter: Hashable, Sendable {
    /// The names of the services; `nil` for all services.
    private let services: Set<String>?
    private let events: Set<FailoverEvent.Kind.Name>

    package init(
        services: Set<String>? = nil, events: Set<FailoverEvent.Kind.Name> = Set(FailoverEvent.Kind.Name.allCases)
    ) {
        self.services = services
        self.events = events
    }

    package func admits(_ event: FailoverEvent) -> Bool {
        events.contains(event.kind.name) && (services?.contains(event.service) ?? true)
    }
}

/// The queue of one notifier. It accepts events without blocking and delivers them one after the other, so that a
/// slow notifier delays only itself.
package final class NotifierQueue: Sendable {
    private struct State {
        var backlog = EventBacklog()
        /// The number of events that were dropped since the queue was last empty.
        var givenUp = 0
    }

    private let notifier: any Notifier
    private let filter: EventFilter
    private let limit: Duration
    private let log: Logger
    private let failures: Counter
    private let state = Lock(State())
    private let wakes: (stream: AsyncStream<Void>, wake: AsyncStream<Void>.Continuation)

    /// - Parameters:
    ///   - limit: the time limit of one attempt to deliver. The default in the configuration is 10 s.
    ///   - metrics: counts failed notifications.
    package init(
        notifier: any Notifier, filter: EventFilter = EventFilter(), limit: Duration, log: Logger,
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        failures = Counter(
            label: "failover_notification_failures_total", dimensions: [("notifier", notifier.name)], factory: metrics)
        self.notifier = notifier
        self.filter = filter
        self.limit = limit
        self.log = log
        let (stream, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        wakes = (stream, wake)
    }

    /// The name of the notifier.
    package var name: String { notifier.name }

    /// The number of waiting events.
    package var waiting: Int { state.withLock { $0.backlog.count } }

    /// Queues an event if the filter admits it; never blocks.
    package func offer(_ event: FailoverEvent) {
        guard filter.admits(event) else { return }
        let isFirstLoss = state.withLock { state in
            let lost = state.backlog.add(event)
            defer { state.givenUp += lost }
            return lost > 0 && state.givenUp == 0
        }
        if isFirstLoss {
            log.warning("\(notifier.name) is too slow: its queued events are coalesced")
        }
        wakes.wake.yield()
    }

    /// Ends the queue. ``run()`` returns when the waiting events are delivered.
    package func finish() { wakes.wake.finish() }

    /// Removes the metrics of this notifier. Call this only if no other running notifier has this name: that notifier
    /// would lose its metrics.
    package func forgetMeasurements() { failures.destroy() }

    /// Delivers events until ``finish()`` is called or the task is cancelled. Call this once.
    package func run() async {
        for await _ in wakes.stream { await deliverAll() }
        await deliverAll()
    }

    private func deliverAll() async {
        while !Task.isCancelled, let event = state.withLock({ $0.backlog.next() }) { await deliver(event) }
        let givenUp = state.withLock { state in
            defer { if state.backlog.count == 0 { state.givenUp = 0 } }
            return state.backlog.count == 0 ? state.givenUp : 0
        }
        if givenUp > 0 {
            log.warning("\(notifier.name) has caught up", metadata: ["events_coalesced": "\(givenUp)"])
        }
    }

    private func deliver(_ event: FailoverEvent) async {
        do {
            try await notifier.deliver(event, limit: limit)
            log.debug("\(notifier.name): notification delivered", metadata: ["service": "\(event.service)"])
        } catch {
            let message = error is CancellationError ? "failover is stopping" : "\(error)"
            failures.increment()
            log.error(
                "\(notifier.name): could not deliver the \(event.kind.name) notification for \(event.service)",
                metadata: ["error": "\(message)"])
        }
    }
}

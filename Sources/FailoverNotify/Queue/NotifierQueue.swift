package import FailoverCore
package import Logging
package import Metrics

/// The queue of one notifier: it takes events without waiting and delivers them one after the other, so that a notifier
/// which is slow delays nothing but itself.
package final class NotifierQueue: Sendable {
    private struct State {
        var backlog = EventBacklog()
        /// Given up since the log was told.
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
    ///   - limit: of one attempt to deliver; 10 s unless the configuration says otherwise.
    ///   - metrics: where events are counted that nobody was told.
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

    /// The notifier's.
    package var name: String { notifier.name }

    /// Events that wait.
    package var waiting: Int { state.withLock { $0.backlog.count } }

    /// Queues an event that the filter admits; never waits.
    package func offer(_ event: FailoverEvent) {
        guard filter.admits(event) else { return }
        let isFirstLoss = state.withLock { state in
            let lost = state.backlog.add(event)
            defer { state.givenUp += lost }
            return lost > 0 && state.givenUp == 0
        }
        if isFirstLoss {
            log.warning("\(notifier.name) is too slow: events that wait for it are coalesced")
        }
        wakes.wake.yield()
    }

    /// No more events come; ``run()`` returns when those that wait are delivered.
    package func finish() { wakes.wake.finish() }

    /// Its measurements are no longer told. Only when no notifier of this name goes on, which would lose its own.
    package func forgetMeasurements() { failures.destroy() }

    /// Delivers until ``finish()`` or until the task is cancelled. Called once.
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
            log.debug("\(notifier.name): told", metadata: ["service": "\(event.service)"])
        } catch {
            let words = error is CancellationError ? "the process ends" : "\(error)"
            failures.increment()
            log.error(
                "\(notifier.name): nobody was told of \(event.service)'s \(event.kind.name)",
                metadata: ["error": "\(words)"])
        }
    }
}

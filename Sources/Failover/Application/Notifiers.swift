import FailoverAdmin
import FailoverCore
import FailoverNotify
import FailoverSystem
import Logging
import Metrics

extension NotifierConfiguration {
    /// Creates the notifier for this kind.
    func notifier(threads: BlockingThreads) -> any Notifier {
        switch kind {
        case .webhook(let url, let format, let authorities):
            WebhookNotifier(url: url, format: format, tlsAuthorities: authorities, threads: threads)
        case .command(let words): CommandNotifier(words, threads: threads)
        case .mail(let to, let from, let sendmail):
            MailNotifier(to: to, from: from, sendmail: sendmail, threads: threads)
        }
    }

    /// The same notifier, which also receives the events of a service's aliases that are monitored under their own
    /// names.
    func knowing(_ plan: RoutePlan) -> NotifierConfiguration {
        var notifier = self
        notifier.services = services.map { services in
            services.union(
                services.flatMap { plan.ownAliases(ofService: $0) }.map { plan.aliases[$0].serviceName })
        }
        return notifier
    }

    /// Creates the notifier, with its own queue.
    func queue(threads: BlockingThreads, log: Logger, metrics: any MetricsFactory) -> NotifierQueue {
        NotifierQueue(
            notifier: notifier(threads: threads), filter: EventFilter(services: services, events: events),
            limit: timeout, log: log, metrics: metrics)
    }
}

/// A notifier of the configuration, to which you can send a test event.
public struct NotifierTrial: Sendable {
    /// The name of the notifier. It contains no secret.
    public var name: String { notifier.name }
    private let notifier: any Notifier
    private let limit: Duration

    fileprivate init(_ configuration: NotifierConfiguration, threads: BlockingThreads) {
        notifier = configuration.notifier(threads: threads)
        limit = configuration.timeout
    }

    /// Sends the test event. Each attempt has the time limit of the notifier.
    ///
    /// - Returns: why the event could not be sent; `nil` if it was sent.
    public func run() async -> String? {
        let environment = MonitorEnvironment.ofThisProcess(log: Logger(label: "notify-test"))
        let failure = PingFailure(.other, "sent by failover notify-test")
        let event = FailoverEvent(
            service: "notify-test", kind: .outage(failure), time: environment.timeOfDay(), host: environment.host,
            processID: environment.processID, isTest: true)
        do {
            try await notifier.deliver(event, limit: limit)
            return nil
        } catch {
            return "\(error)"
        }
    }
}

extension Configuration {
    /// The notifiers, in file order. Each can send a test event, even if its filter would exclude it.
    public var notifierTrials: [NotifierTrial] {
        let threads = BlockingThreads()
        return notifiers.map { NotifierTrial($0, threads: threads) }
    }
}

/// Sends each event to the notifiers and to the admin plane.
final class EventDispatcher: Sendable {
    /// The recent events, for the admin plane.
    let events = EventRing()
    private let notifiers = Lock<[NotifierQueue]>([])

    /// Sends an event. It never waits.
    func tell(_ event: FailoverEvent) {
        for notifier in notifiers.withLock({ $0 }) { notifier.offer(event) }
        events.add(AdminEvent(event))
    }

    /// Adds an event to the admin plane: an alias has moved to another of its servers. It never waits.
    func tellMove(of name: String, from former: Endpoint, to server: Endpoint, at time: WallTime, serving: String?) {
        events.add(
            AdminEvent(
                .moved, name, "\(name) has moved to \(server).", at: time, detail: "It was on \(former).",
                currentAlias: serving))
    }

    /// Replaces the notifiers.
    func change(to notifiers: [NotifierQueue]) { self.notifiers.withLock { $0 = notifiers } }
}

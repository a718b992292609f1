import FailoverCore
import FailoverNotify
import FailoverSystem
import Logging
import Metrics

extension NotifierConfiguration {
    /// What tells somebody in this way.
    func notifier(threads: BlockingThreads) -> any Notifier {
        switch kind {
        case .webhook(let url, let format, let authorities):
            WebhookNotifier(url: url, format: format, tlsAuthorities: authorities, threads: threads)
        case .command(let words): CommandNotifier(words, threads: threads)
        case .mail(let to, let from, let sendmail):
            MailNotifier(to: to, from: from, sendmail: sendmail, threads: threads)
        }
    }

    /// Tells of a service also what happens to each of its own aliases, where these have names of their own.
    func knowing(_ plan: RoutePlan) -> NotifierConfiguration {
        var notifier = self
        notifier.services = services.map { services in
            services.union(
                services.flatMap { plan.ownAliases(ofService: $0) }.map { plan.aliases[$0].serviceName })
        }
        return notifier
    }

    /// The notifier with a queue of its own.
    func queue(threads: BlockingThreads, log: Logger, metrics: any MetricsFactory) -> NotifierQueue {
        NotifierQueue(
            notifier: notifier(threads: threads), filter: EventFilter(services: services, events: events),
            limit: timeout, log: log, metrics: metrics)
    }
}

/// A notifier of the configuration, to be tried with an event that is marked as a test.
public struct NotifierTrial: Sendable {
    /// What it is; holds no secret.
    public var name: String { notifier.name }
    private let notifier: any Notifier
    private let limit: Duration

    fileprivate init(_ configuration: NotifierConfiguration, threads: BlockingThreads) {
        notifier = configuration.notifier(threads: threads)
        limit = configuration.timeout
    }

    /// Sends the test event.
    ///
    /// - Returns: why nobody was told; `nil` when somebody was.
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
    /// The notifiers, in file order, whatever events they ask for.
    public var notifierTrials: [NotifierTrial] {
        let threads = BlockingThreads()
        return notifiers.map { NotifierTrial($0, threads: threads) }
    }
}

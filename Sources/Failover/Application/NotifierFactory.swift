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

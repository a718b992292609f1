import FailoverCore
import FailoverNotify
import FailoverSystem
import Logging

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

import FailoverCore
import FailoverNotify
import Logging

/// One configuration brought to life: who watches what, and who is told. Another takes its place on a reload.
struct Generation: Sendable {
    let configuration: Configuration
    let plan: RoutePlan
    /// By position in the route table; `nil` of those that are retired.
    let databases: [MonitoredTarget?]
    /// Of services that move no route.
    let others: [MonitoredTarget]
    /// In the order of the configuration.
    let notifiers: [NotifierQueue]

    /// All, routes' own first.
    var targets: [MonitoredTarget] { databases.compactMap(\.self) + others }

    /// Whether the same monitor is one of its own.
    func has(_ target: MonitoredTarget) -> Bool { targets.contains { $0.monitor === target.monitor } }

    /// Whether the same queue is one of its own.
    func has(_ notifier: NotifierQueue) -> Bool { notifiers.contains { $0 === notifier } }

    /// Who is told what sessions of these routes see.
    func observer(clock: MonotonicClock, log: Logger) -> RouteObserver {
        RouteObserver(
            monitors: databases.map { $0?.monitor }, aliases: plan.tableRoutes.map(\.aliases),
            triggers: plan.routes.map(\.settings.errorTriggers), clock: clock, log: log)
    }
}

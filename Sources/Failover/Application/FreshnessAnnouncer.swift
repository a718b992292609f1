import FailoverCore

/// Brings it to everyone who is to be told that a database alias has become stale, or is fresh again.
struct FreshnessAnnouncer: Sendable {
    /// The name under which the alias is monitored.
    let name: String
    /// Position in the route table.
    let alias: Int
    let board: RouteBoard
    let environment: MonitorEnvironment
    let announcer: Announcer

    /// Never waits.
    ///
    /// - Parameter staleness: `nil` when it is fresh again.
    func tell(_ staleness: Staleness?) {
        let lasted = announcer.noteStaleness(staleness != nil, ofAlias: alias, now: environment.clock.now)
        let event = FailoverEvent(
            service: name, kind: staleness.map { .stale($0) } ?? .fresh(after: lasted), time: environment.timeOfDay(),
            host: environment.host, processID: environment.processID,
            currentAlias: board.table.servingAlias(insteadOf: alias))
        environment.log.log(event)
        announcer.tell(event)
    }
}

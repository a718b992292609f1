import FailoverAdmin
import FailoverCore
import Logging

/// Brings it to everyone who is to be told what becomes of a database alias beside outages.
struct AliasAnnouncer: Sendable {
    /// The name under which the alias is monitored.
    let name: String
    /// Position in the route table.
    let alias: Int
    let board: RouteBoard
    let environment: MonitorEnvironment
    let announcer: Announcer

    /// It has become stale, or (`nil`) is fresh again. Never waits.
    func tellFreshness(_ staleness: Staleness?) {
        let lasted = announcer.noteStaleness(staleness != nil, ofAlias: alias, now: environment.clock.now)
        let event = FailoverEvent(
            service: name, kind: staleness.map { .stale($0) } ?? .fresh(after: lasted), time: environment.timeOfDay(),
            host: environment.host, processID: environment.processID, currentAlias: serving)
        environment.log.log(event)
        announcer.tell(event)
    }

    /// It has become another of the servers that it may be: for the log and the events. Never waits.
    func tellMove(from former: Endpoint, to server: Endpoint) {
        let message = "\(name) is at \(server) now."
        environment.log.notice("\(message)", metadata: ["former": "\(former)"])
        announcer.events.add(
            AdminEvent(
                .moved, name, message, at: environment.timeOfDay(), detail: "It was at \(former).",
                currentAlias: serving))
    }

    private var serving: String? { board.table.servingAlias(insteadOf: alias) }
}

import FailoverAdmin
import FailoverCore
import Logging

/// Writes down that a database alias has become another of the servers that it may be.
struct MoveAnnouncer: Sendable {
    /// The name under which the alias is monitored.
    let name: String
    /// Position in the route table.
    let alias: Int
    let board: RouteBoard
    let environment: MonitorEnvironment
    let announcer: Announcer

    /// Never waits.
    func tell(from former: Endpoint, to server: Endpoint) {
        let message = "\(name) is at \(server) now."
        environment.log.notice("\(message)", metadata: ["former": "\(former)"])
        announcer.events.add(
            AdminEvent(
                .moved, name, message, at: environment.timeOfDay(), detail: "It was at \(former).",
                currentAlias: board.table.servingAlias(insteadOf: alias)))
    }
}

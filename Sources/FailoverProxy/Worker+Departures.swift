/// How servers are left that have not let the client in.
extension Worker {
    /// Connections that are left in order at a time; those beyond are closed.
    private static let mostDepartures = 128
    /// For a server's answer to a login that it is to refuse, in nanoseconds; at the process's end.
    private static let patience: UInt64 = 5_000_000_000
    private static let lastPatience: UInt64 = 1_000_000_000

    /// Leaves a MySQL server so that it counts nothing against this host.
    func depart(from backend: consuming Descriptor, _ login: MySQLRefusedLogin) {
        guard departures < Self.mostDepartures else { return }
        departures += 1
        MySQLDeparture(loop: loop, backend: backend, login: login) { [self] in
            departures -= 1
            if departures == 0, isEnding == .whenAllHaveLeft { loop.stop() }
        }.start(deadline: loop.now &+ (isEnding == nil ? Self.patience : Self.lastPatience))
    }

    /// Ends all sessions, with words where their protocol has a place for them: the process ends.
    func closeSessions() {
        isEnding = .soon
        hurryDepartures()
        for case let session as Session in loop.everyTenant { session.shutDown() }
    }

    /// Ends the loop, as soon as servers have been left in order.
    func stop() {
        isEnding = .whenAllHaveLeft
        hurryDepartures()
        if departures == 0 { loop.stop() }
    }

    private func hurryDepartures() {
        for case let departure as MySQLDeparture in loop.everyTenant {
            departure.hurry(deadline: loop.now &+ Self.lastPatience)
        }
    }
}

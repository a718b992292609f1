/// What the admin plane shows and steers.
package protocol AdminBackend: Sendable {
    /// Everything there is to see.
    func status() async -> StatusDocument

    /// Open sessions: at most `limit` of those whose numbers are higher than `after`, lowest first.
    ///
    /// - Parameter route: of one route; of all unless given.
    func sessions(route: String?, after: UInt64, limit: Int) async throws(AdminError) -> [SessionDocument]

    /// What has happened.
    var events: EventRing { get }

    /// Listeners are open, and every service has had its first answer.
    var isReady: Bool { get }

    /// The configuration in effect, without secrets.
    var configurationText: String { get }

    /// The metrics in Prometheus' text format.
    func metrics() async -> String

    /// Pings the service now, and waits for the answer.
    ///
    /// - Returns: what it said.
    func ping(service: String) async throws(AdminError) -> String

    /// New sessions of the route prefer the alias, for a time or until ``release(route:)``.
    func `switch`(route: String, to alias: String, for duration: Duration?) throws(AdminError) -> String
    func release(route: String) throws(AdminError) -> String

    /// Rehearses an outage on the route: the alias, the route's own unless given, counts as down for that time, or until
    /// ``endDrill(route:)``.
    ///
    /// - Parameter isForced: even if a route is left with nobody who could serve.
    func drill(
        route: String, alias: String?, for duration: Duration, isForced: Bool
    ) throws(AdminError) -> String
    func endDrill(route: String) throws(AdminError) -> String

    /// The alias gets no new sessions, and those it has move away.
    func drain(alias: String) throws(AdminError) -> String
    func undrain(alias: String) throws(AdminError) -> String

    /// Loads the configuration anew, and has it take the present one's place.
    ///
    /// - Returns: what changed.
    func reload() async throws(AdminError) -> String

    /// Closes the sessions of the route, or those of it that the alias serves.
    func closeSessions(route: String, alias: String?) throws(AdminError) -> String
}

/// Why something that was asked for is not done.
package enum AdminError: Error, Hashable, Sendable {
    /// There is nothing of this name.
    case unknown(String)
    /// What was asked for makes no sense.
    case malformed(String)
    /// It cannot be done as things are.
    case conflict(String)
}

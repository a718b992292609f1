/// What the admin plane shows and controls.
package protocol AdminBackend: Sendable {
    /// The complete status.
    func status() async -> StatusDocument

    /// Open sessions: at most `limit` of those with numbers higher than `after`, lowest first.
    ///
    /// - Parameter route: only sessions of this route; default: all.
    func sessions(route: String?, after: UInt64, limit: Int) async throws(AdminError) -> [SessionDocument]

    /// The latest events.
    var events: EventRing { get }

    /// Whether the listeners are open and every service has the result of its first ping.
    var isReady: Bool { get }

    /// The configuration in effect, without secrets.
    var configurationText: String { get }

    /// The metrics in Prometheus' text format.
    func metrics() async -> String

    /// Pings the service now, and waits for the result.
    ///
    /// - Returns: the result as text.
    func ping(service: String) async throws(AdminError) -> String

    /// Makes new sessions of the route prefer the alias, for a time or until ``release(route:)``.
    func `switch`(route: String, to alias: String, for duration: Duration?) throws(AdminError) -> String
    func release(route: String) throws(AdminError) -> String

    /// Starts an outage drill on the route. The alias counts as down for that time, or until ``endDrill(route:)``.
    /// Default: the preferred alias of the route.
    ///
    /// - Parameter isForced: start the drill even if it leaves a route without an alias that can serve.
    func drill(
        route: String, alias: String?, for duration: Duration, isForced: Bool
    ) throws(AdminError) -> String
    func endDrill(route: String) throws(AdminError) -> String

    /// Takes the alias out of service: it gets no new sessions, and its open sessions move away.
    func drain(alias: String) throws(AdminError) -> String
    func undrain(alias: String) throws(AdminError) -> String

    /// Reloads the configuration. It replaces the current one.
    ///
    /// - Returns: what changed.
    func reload() async throws(AdminError) -> String

    /// Closes the sessions of the route: all of them, or those that the alias serves.
    func closeSessions(route: String, alias: String?) throws(AdminError) -> String
}

/// Why a request is refused.
package enum AdminError: Error, Hashable, Sendable {
    /// There is no object with this name.
    case unknown(String)
    /// The request is malformed.
    case malformed(String)
    /// The current state does not allow the request.
    case conflict(String)
}

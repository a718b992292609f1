/// What the admin plane shows and controls.
package protocol AdminBackend: Sendable {
    /// The complete status.
    func status() async -> StatusDocument

    /// The open sessions with numbers higher than `after`, lowest first, at most `limit`.
    ///
    /// - Parameter route: only sessions of this route; `nil` is all routes.
    /// - Throws: ``AdminError/unknown(_:)`` if there is no such route.
    func sessions(route: String?, after: UInt64, limit: Int) async throws(AdminError) -> [SessionDocument]

    /// The latest events.
    var events: EventRing { get }

    /// Whether the listeners are open and every service has the result of its first ping.
    var isReady: Bool { get }

    /// The configuration in effect, without secrets.
    var configurationText: String { get }

    /// The metrics in Prometheus' text format.
    func metrics() async -> String

    /// Pings the service now and waits for the result.
    ///
    /// - Returns: the result as text.
    func ping(service: String) async throws(AdminError) -> String

    /// Makes new sessions of the route prefer the alias for this duration, or until ``release(route:)`` if it is `nil`.
    func `switch`(route: String, to alias: String, for duration: Duration?) throws(AdminError) -> String
    /// Ends a switch of the route.
    func release(route: String) throws(AdminError) -> String

    /// Starts an outage drill on the route. The alias counts as down for this duration, or until ``endDrill(route:)``.
    /// If `alias` is `nil`, it is the first alias of the route.
    ///
    /// - Parameter isForced: start the drill even if it leaves a route without an alias that can serve.
    func drill(
        route: String, alias: String?, for duration: Duration, isForced: Bool
    ) throws(AdminError) -> String
    /// Ends the drill on the route.
    func endDrill(route: String) throws(AdminError) -> String

    /// Takes the alias out of service: it gets no new sessions, and its open sessions move away.
    func drain(alias: String) throws(AdminError) -> String
    /// Puts a drained alias back into service.
    func undrain(alias: String) throws(AdminError) -> String

    /// Reads the configuration again and replaces the current one. If that fails, nothing has changed.
    ///
    /// - Returns: what changed.
    func reload() async throws(AdminError) -> String

    /// Closes the sessions of the route that the alias serves, or all of them if `alias` is `nil`.
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

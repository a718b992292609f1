/// The kinds of backend errors that the proxy sees before its clients do.
///
/// The raw values are the names of `error_triggers` in the configuration.
public enum BackendErrorKind: String, Hashable, Sendable, CaseIterable {
    case connectRefused = "connect_refused"
    case connectTimeout = "connect_timeout"
    case connectUnreachable = "connect_unreachable"
    /// The backend reset an established session.
    case reset
    /// The backend closed the connection before it said anything.
    case earlyClose = "early_close"
    /// The backend accepted the connection, but said nothing in time.
    case greetingTimeout = "greeting_timeout"
    case serverShutdown = "server_shutdown"
    case tooManyConnections = "too_many_connections"
    case hostBlocked = "host_blocked"

    /// The kinds that ask for a ping and make the alias suspect unless the configuration says otherwise.
    public static let defaultTriggers: Set<BackendErrorKind> = Set(allCases)
}

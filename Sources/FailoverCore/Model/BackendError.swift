/// The kinds of backend errors that the proxy detects in sessions.
///
/// The raw values are the names of `error_triggers` in the configuration.
public enum BackendErrorKind: String, Hashable, Sendable, CaseIterable {
    case connectRefused = "connect_refused"
    case connectTimeout = "connect_timeout"
    case connectUnreachable = "connect_unreachable"
    /// The backend reset an established session.
    case reset
    /// The backend closed the connection before it sent any data.
    case earlyClose = "early_close"
    /// The backend accepted the connection, but sent no greeting or no answer in time.
    case greetingTimeout = "greeting_timeout"
    case serverShutdown = "server_shutdown"
    case tooManyConnections = "too_many_connections"
    case hostBlocked = "host_blocked"

    /// The kinds that request a ping and can make the alias suspect by default: all of them.
    public static let defaultTriggers: Set<BackendErrorKind> = Set(allCases)
}

/// A backend error that a session saw.
public struct ObservedError: Hashable, Sendable {
    public let kind: BackendErrorKind
    /// Identifies the session. Several errors of one session count as one.
    public let session: UInt64
    /// The address and the message, for example `127.0.0.1:5433: Connection refused`.
    public let detail: String

    public init(kind: BackendErrorKind, session: UInt64, detail: String) {
        self.kind = kind
        self.session = session
        self.detail = detail
    }
}

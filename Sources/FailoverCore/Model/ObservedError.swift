/// An error of a server that a session saw.
public struct ObservedError: Hashable, Sendable {
    public let kind: BackendErrorKind
    /// Tells the session from others. Several errors of one session count as one.
    public let session: UInt64
    /// `127.0.0.1:5433: Connection refused`.
    public let detail: String

    public init(kind: BackendErrorKind, session: UInt64, detail: String) {
        self.kind = kind
        self.session = session
        self.detail = detail
    }
}

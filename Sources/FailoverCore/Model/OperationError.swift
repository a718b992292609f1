/// An operation of failover that failed: which operation, why, and the underlying error.
public struct OperationError: Error, Sendable {
    /// The operation that failed.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// Listening at an address.
        case listen
        /// Applying another configuration. The former one stays in effect.
        case reload
        /// Reading the certificates and keys of `client_tls`.
        case tls
        /// Taking over from the process that serves, or handing over to another process.
        case takeover
        /// Writing the file that `settings_file` names.
        case settingsFile
        /// Delivering a notification of an event.
        case notification
        /// A request to a running process over its admin plane.
        case administration
        /// An outage drill.
        case drill
    }

    public let code: Code
    /// The message for the log and for the operator. It never contains a secret.
    public let message: String
    /// The error that led to this one, if there was one.
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension OperationError: CustomStringConvertible {
    public var description: String { message }
}

/// Compares code and message only, because causes need not be comparable.
extension OperationError: Equatable {
    public static func == (one: OperationError, other: OperationError) -> Bool {
        (one.code, one.message) == (other.code, other.message)
    }
}

import FailoverCore
import FailoverSystem
import Glibc

/// Why a connection to a backend did not come about.
enum DialFailure: Equatable {
    /// The alias has no address: its name is not resolved.
    case unresolved
    case timeout
    /// The proxy holds as many sessions on the alias as it may.
    case full
    /// `errno` of the attempt.
    case system(Int32)
}

extension DialFailure {
    /// The kind under which the monitor is told; `nil` for failures that say nothing of the backend.
    var kind: BackendErrorKind? {
        switch self {
        case .unresolved, .full: nil
        case .timeout, .system(ETIMEDOUT): .connectTimeout
        case .system(ECONNREFUSED), .system(ENOENT), .system(EAGAIN): .connectRefused
        case .system(ECONNRESET), .system(EPIPE): .reset
        case .system(EHOSTUNREACH), .system(ENETUNREACH), .system(ENETDOWN), .system(EHOSTDOWN): .connectUnreachable
        case .system: nil
        }
    }
}

extension DialFailure: CustomStringConvertible {
    var description: String {
        switch self {
        case .unresolved: "its name is not resolved"
        case .timeout: "no connection in time"
        case .full: "its max_connections is reached"
        case .system(let code): SystemError(code).words
        }
    }
}

import FailoverCore
import FailoverSystem
import Glibc

/// Why an alias could not serve a session.
enum DialFailure: Equatable {
    /// The alias has no address: its name is not resolved.
    case unresolved
    /// No connection in time.
    case timeout
    /// Connected, but nothing was heard in time.
    case silent
    /// It closed before it said anything.
    case closed
    /// It said that it cannot serve anybody now.
    case refused(BackendErrorKind?, String)
    /// What it said is not its protocol.
    case garbage(String)
    /// The proxy holds as many sessions on the alias as it may.
    case full
    /// A ping found it down meanwhile.
    case down
    /// It is a failover alias that must not be written to, and nothing can keep this session from it.
    case unguardable(String)
    /// `errno` of the attempt.
    case system(Int32)
}

extension DialFailure {
    /// The kind under which the monitor is told; `nil` for failures that say nothing of the backend.
    var kind: BackendErrorKind? {
        switch self {
        case .unresolved, .full, .down, .unguardable: nil
        case .silent: .greetingTimeout
        case .closed, .garbage: .earlyClose
        case .refused(let kind, _): kind
        case .timeout, .system(ETIMEDOUT): .connectTimeout
        case .system(ECONNREFUSED), .system(ENOENT): .connectRefused
        // The queue of a Unix socket is full: more connect than the server takes.
        case .system(EAGAIN): .tooManyConnections
        case .system(ECONNRESET), .system(EPIPE): .reset
        case .system(EHOSTUNREACH), .system(ENETUNREACH), .system(ENETDOWN), .system(EHOSTDOWN): .connectUnreachable
        case .system: nil
        }
    }

    /// Whether the alias is well, only full: no reason to move its sessions back as soon as there is room.
    var isForLackOfRoom: Bool {
        switch self {
        case .full, .refused(.tooManyConnections, _), .system(EAGAIN): true
        default: false
        }
    }

    /// How much it says of the alias when several of its addresses fail. One that this machine has no way to, as one of IPv6,
    /// says less than one that was asked; one that lives and has no room says most.
    var weight: Int {
        switch kind {
        case nil: 0
        case .connectUnreachable: 1
        case .tooManyConnections, .hostBlocked: 3
        default: 2
        }
    }

    /// Whether another address of the alias would be no better.
    var isOfTheAlias: Bool {
        switch self {
        case .full, .down, .unguardable: true
        default: false
        }
    }

    /// Whether nobody was met at the address, or silence. One that speaks is no dead one.
    var isOfTheAddress: Bool {
        switch self {
        case .timeout, .silent, .closed: true
        case .system: kind != nil
        case .unresolved, .refused, .garbage, .full, .down, .unguardable: false
        }
    }

    /// Whether it may be the answer to what the client said rather than an error of the backend.
    var mayBeClientsFault: Bool {
        switch self {
        case .closed, .system(ECONNRESET), .system(EPIPE): true
        default: false
        }
    }
}

extension DialFailure: CustomStringConvertible {
    var description: String {
        switch self {
        case .unresolved: "its name is not resolved"
        case .timeout: "no connection in time"
        case .silent: "connected, but silent"
        case .closed: "closed before it said anything"
        case .refused(_, let words): words
        case .garbage(let words): words
        case .full: "its max_connections is reached"
        case .down: "found down meanwhile"
        case .unguardable(let words): words
        case .system(let code): SystemError(code).words
        }
    }
}

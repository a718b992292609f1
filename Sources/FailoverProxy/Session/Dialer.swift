import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// Opens connections to backends.
enum Dialer {
    /// A non-blocking socket that is connecting to the address. The result is known at its first writable event.
    static func dial(_ address: SocketAddress) throws(SystemError) -> Descriptor {
        let family = address.family
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let raw = socket(family, type, 0)
        guard raw >= 0 else { throw .last(of: "socket") }
        let descriptor = Descriptor(owning: raw)
        if family != AF_UNIX { descriptor.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
        let result = address.withSocketAddress { connect(raw, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else { throw .last(of: "connect") }
        return descriptor
    }
}

extension Descriptor {
    /// Sets keepalive probes and the user timeout, the longest time for which bytes may stay unacknowledged; tcp(7).
    /// A Unix socket ignores both.
    ///
    /// With a user timeout, the kernel does not count probes: after the timeout, one unanswered probe ends the
    /// connection. So probes begin at half of the user timeout at the latest, and the third lost probe ends the
    /// connection.
    ///
    /// - Parameter userTimeout: `nil` is the system's default, which retries for about 15 minutes.
    func watchPeer(keepalive: Duration?, userTimeout: Duration?) {
        let tcp = Int32(IPPROTO_TCP)
        set(tcp, TCP_USER_TIMEOUT, userTimeout?.roundedUp(to: .milliseconds(1)) ?? 0)
        set(SOL_SOCKET, SO_KEEPALIVE, keepalive == nil ? 0 : 1)
        guard let keepalive else { return }
        let idle = userTimeout.map { min(keepalive, $0 / 2) } ?? keepalive
        let interval = userTimeout.map { ($0 - idle) / 3 } ?? keepalive / 3
        set(tcp, TCP_KEEPIDLE, max(1, idle.roundedUp(to: .seconds(1))))
        set(tcp, TCP_KEEPINTVL, max(1, interval.roundedUp(to: .seconds(1))))
        set(tcp, TCP_KEEPCNT, 3)
    }
}

/// The reason why an alias could not serve a session.
enum DialFailure: Equatable {
    /// The alias has no address: its host name is not resolved.
    case unresolved
    /// No connection within the time limit.
    case timeout
    /// Connected, but no answer within the time limit.
    case silent
    /// The server closed the connection without an answer.
    case closed
    /// The server reported that it cannot serve clients now.
    case refused(BackendErrorKind?, String)
    /// The server's answer does not follow its protocol.
    case malformed(String)
    /// The alias's `max_connections` is reached.
    case full
    /// A ping found the alias down in the meantime.
    case down
    /// The alias requires a read-only session, and this session cannot be made read-only.
    case unguardable(String)
    /// TLS with the server could not be established.
    case encryption(String)
    /// `errno` of the attempt.
    case system(Int32)
}

extension DialFailure {
    /// The kind that is reported to the monitor; `nil` for failures that say nothing about the backend.
    var kind: BackendErrorKind? {
        switch self {
        case .unresolved, .full, .down, .unguardable, .encryption: nil
        case .silent: .greetingTimeout
        case .closed, .malformed: .earlyClose
        case .refused(let kind, _): kind
        case .timeout, .system(ETIMEDOUT): .connectTimeout
        case .system(ECONNREFUSED), .system(ENOENT): .connectRefused
        // The backlog of a Unix socket is full: clients connect faster than the server accepts.
        case .system(EAGAIN): .tooManyConnections
        case .system(ECONNRESET), .system(EPIPE): .reset
        case .system(EHOSTUNREACH), .system(ENETUNREACH), .system(ENETDOWN), .system(EHOSTDOWN): .connectUnreachable
        case .system: nil
        }
    }

    /// Whether the alias is healthy but full. Its sessions then do not move back as soon as there is room.
    var isForLackOfRoom: Bool {
        switch self {
        case .full, .refused(.tooManyConnections, _), .system(EAGAIN): true
        default: false
        }
    }

    /// The weight of this failure. If several addresses of an alias fail, the failure with the greatest weight is
    /// reported. An address to which this machine has no route, such as an IPv6 address, is the least informative. A
    /// server that is alive but full is the most informative.
    var weight: Int {
        switch kind {
        case nil: 0
        case .connectUnreachable: 1
        case .tooManyConnections, .hostBlocked: 3
        default: 2
        }
    }

    /// Whether trying another address of the alias is pointless.
    var isOfTheAlias: Bool {
        switch self {
        case .full, .down, .unguardable: true
        default: false
        }
    }

    /// Whether the address is dead: no connection or no answer. An address whose server answers is not dead.
    var isOfTheAddress: Bool {
        switch self {
        case .timeout, .silent, .closed: true
        case .system: kind != nil
        case .unresolved, .refused, .malformed, .full, .down, .unguardable, .encryption: false
        }
    }

    /// Whether the backend may have failed because of what the client sent.
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
        case .unresolved: "its host name is not resolved"
        case .timeout: "no connection in time"
        case .silent: "connected, but no answer in time"
        case .closed: "closed the connection without an answer"
        case .refused(_, let message): message
        case .malformed(let message): message
        case .full: "its max_connections is reached"
        case .down: "it went down in the meantime"
        case .unguardable(let message), .encryption(let message): message
        case .system(let code): SystemError(code).message
        }
    }
}

import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// Begins connections to backends.
enum Dialer {
    /// A non-blocking socket on its way to the address; its first writable event tells how that ended.
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
    /// Keepalive probes, and how long the peer may leave bytes unacknowledged; tcp(7). A Unix socket ignores both.
    ///
    /// With a user time-out the kernel counts no probes: past it, one that is not answered yet is enough to end the
    /// connection. So they begin at half of it, and the third that is lost is the last.
    ///
    /// - Parameter userTimeout: `nil` is the system's, which retries for a quarter of an hour.
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

import CLinux
import FailoverCore
import Glibc

/// Begins connections to backends.
enum Dialer {
    /// A non-blocking socket on its way to the address; its first writable event tells how that ended.
    static func dial(_ address: SocketAddress, settings: SessionSettings) throws(SystemError) -> Descriptor {
        let family = address.bytes.withUnsafeBytes { Int32($0.loadUnaligned(as: sa_family_t.self)) }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let raw = socket(family, type, 0)
        guard raw >= 0 else { throw SystemError("socket") }
        let descriptor = Descriptor(owning: raw)
        if family != AF_UNIX {
            descriptor.applyTCPOptions(settings)
            if let timeout = settings.tcpUserTimeout {
                descriptor.set(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, timeout.roundedUp(to: .milliseconds(1)))
            }
        }
        let result = address.withSocketAddress { connect(raw, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else { throw SystemError("connect") }
        return descriptor
    }
}

extension Descriptor {
    /// No delay for small messages, and keepalive probes; tcp(7).
    func applyTCPOptions(_ settings: SessionSettings) {
        let tcp = Int32(IPPROTO_TCP)
        set(tcp, TCP_NODELAY, 1)
        guard let keepalive = settings.keepalive else { return }
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(tcp, TCP_KEEPIDLE, keepalive.roundedUp(to: .seconds(1)))
        set(tcp, TCP_KEEPINTVL, max(1, keepalive.roundedUp(to: .seconds(3))))
        set(tcp, TCP_KEEPCNT, 3)
    }
}

extension SocketAddress {
    func withSocketAddress<R>(_ body: (UnsafePointer<sockaddr>?, socklen_t) -> R) -> R {
        bytes.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)) }
    }

    var isUnix: Bool {
        bytes.withUnsafeBytes { Int32($0.loadUnaligned(as: sa_family_t.self)) } == AF_UNIX
    }
}

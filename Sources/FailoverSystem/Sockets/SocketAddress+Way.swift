package import FailoverCore
import Glibc

extension SocketAddress {
    /// Whether this machine has a way to the address: a route, and an address of its own of that family. Nothing is sent.
    ///
    /// connect(2) on a datagram socket looks both up, and needs no port of its own. A machine that has no socket left is
    /// taken for one that has a way.
    package var hasWay: Bool {
        guard !isUnix else { return true }
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno != EAFNOSUPPORT }
        defer { close(descriptor) }
        guard withSocketAddress({ connect(descriptor, $0, $1) }) != 0 else { return true }
        return ![ENETUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT].contains(errno)
    }
}

import CLinux
package import FailoverCore
import Glibc

extension SocketAddress {
    /// Where the peer of a socket is; getpeername(2). A peer on a Unix socket has no address of its own.
    package static func peer(of socket: Int32) -> SocketAddress? { address(of: socket, getpeername) }

    /// Where a socket is bound, which is where its peer has connected to; getsockname(2).
    package static func local(of socket: Int32) -> SocketAddress? { address(of: socket, getsockname) }

    private static func address(
        of socket: Int32, _ call: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
    ) -> SocketAddress? {
        var bytes = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_un>.size)
        var length = socklen_t(bytes.count)
        let result = bytes.withUnsafeMutableBytes {
            call(socket, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard result == 0 else { return nil }
        return SocketAddress(kernelBytes: Array(bytes.prefix(Int(length))))
    }

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

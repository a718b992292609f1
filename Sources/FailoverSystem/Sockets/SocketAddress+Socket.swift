import CLinux
package import FailoverCore
import Glibc

extension SocketAddress {
    /// The address of a socket's peer; getpeername(2). A peer on a Unix socket has no address of its own.
    package static func peer(of socket: Int32) -> SocketAddress? { address(of: socket, getpeername) }

    /// The local address of a socket, to which its peer has connected; getsockname(2).
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

    /// Whether this machine can reach the address: it has a route, and an address of the same family. No packet is
    /// sent.
    ///
    /// connect(2) on a datagram socket checks both and needs no source port. If no socket is available, the result is
    /// true.
    package var hasWay: Bool {
        guard !isUnix else { return true }
        let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno != EAFNOSUPPORT }
        defer { close(descriptor) }
        guard withSocketAddress({ connect(descriptor, $0, $1) }) != 0 else { return true }
        return ![ENETUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT].contains(errno)
    }
}

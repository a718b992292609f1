package import FailoverCore
package import Glibc

extension SocketAddress {
    /// Lends the address as the kernel's calls take it.
    package func withSocketAddress<R>(_ body: (UnsafePointer<sockaddr>?, socklen_t) -> R) -> R {
        bytes.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)) }
    }

    /// `AF_INET`, `AF_INET6` or `AF_UNIX`; `AF_UNSPEC` of an address that is cut off.
    package var family: Int32 {
        bytes.withUnsafeBytes {
            $0.count < MemoryLayout<sa_family_t>.size ? AF_UNSPEC : Int32($0.loadUnaligned(as: sa_family_t.self))
        }
    }

    /// Whether it has as many bytes as the kernel takes of its family.
    package var isWhole: Bool {
        switch family {
        case AF_INET: bytes.count == MemoryLayout<sockaddr_in>.size
        case AF_INET6: bytes.count == MemoryLayout<sockaddr_in6>.size
        case AF_UNIX: (3...MemoryLayout<sockaddr_un>.size).contains(bytes.count)
        default: false
        }
    }

    /// Whether this is a path, not a host and a port.
    package var isUnix: Bool { family == AF_UNIX }
}

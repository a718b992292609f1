import CLinux
package import FailoverCore
package import Glibc

extension SocketAddress {
    /// Calls `body` with the address in the form that system calls take.
    package func withSocketAddress<R>(_ body: (UnsafePointer<sockaddr>?, socklen_t) -> R) -> R {
        bytes.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)) }
    }

    /// `AF_INET`, `AF_INET6` or `AF_UNIX`; `AF_UNSPEC` for an address that is cut off.
    package var family: Int32 {
        bytes.withUnsafeBytes {
            $0.count < MemoryLayout<sa_family_t>.size ? AF_UNSPEC : Int32($0.loadUnaligned(as: sa_family_t.self))
        }
    }

    /// Whether the address has at least the size that the kernel requires for its family.
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

extension SocketAddress {
    /// The address of a `sockaddr` that the kernel returned, with its text.
    package init(kernelBytes bytes: [UInt8]) {
        self.init(bytes: bytes, description: Self.text(of: bytes))
    }

    /// An IP address of 4 or 16 bytes with a port; `nil` for any other count.
    package init?(ip: some Collection<UInt8>, port: UInt16) {
        let portBytes = [UInt8(port >> 8), UInt8(port & 0xff)]
        switch ip.count {
        case 4:
            let family = withUnsafeBytes(of: sa_family_t(AF_INET)) { Array($0) }
            self.init(kernelBytes: family + portBytes + ip + [UInt8](repeating: 0, count: 8))
        case 16:
            let family = withUnsafeBytes(of: sa_family_t(AF_INET6)) { Array($0) }
            self.init(kernelBytes: family + portBytes + [0, 0, 0, 0] + ip + [0, 0, 0, 0])
        default: return nil
        }
    }

    /// The 4 or 16 bytes of an IP address; `nil` for a path.
    package var ip: ArraySlice<UInt8>? {
        switch family {
        case AF_INET: bytes.count >= 8 ? bytes[4..<8] : nil
        case AF_INET6: bytes.count >= 24 ? bytes[8..<24] : nil
        default: nil
        }
    }

    /// The port of an IP address: the third and fourth byte in both families.
    package var port: UInt16? { ip == nil ? nil : UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

    private static func text(of bytes: [UInt8]) -> String {
        guard bytes.count >= 2 else { return "unix:" }
        let address = SocketAddress(bytes: bytes, description: "")
        guard let ip = address.ip, let port = address.port else {
            return "unix:\(String(decoding: bytes.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self))"
        }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let done = ip.withUnsafeBytes { inet_ntop(address.family, $0.baseAddress, &text, socklen_t(text.count)) }
        guard done != nil else { return "?" }
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return address.family == AF_INET6 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// IP addresses as people write them.
package enum IPText {
    /// The 4 or 16 bytes of a numeric address; `nil` for anything else. Makes no name look-up; inet_pton(3).
    package static func bytes(of text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }
}

// MARK: - Addresses of sockets

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

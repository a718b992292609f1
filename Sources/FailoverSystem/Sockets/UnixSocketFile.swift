import CLinux
package import FailoverCore
import Glibc

/// The file of a Unix socket, before somebody listens there.
package enum UnixSocketFile {
    /// Takes away a socket that a former process left behind, which would be in the way of bind(2).
    ///
    /// - Parameter isOfMessages: whether it is a socket that keeps messages whole, not one of a stream.
    /// - Throws: `EADDRINUSE` when somebody listens there, `EEXIST` when it is no socket: neither is ours.
    package static func removeAbandoned(
        _ address: SocketAddress, isOfMessages: Bool = false
    ) throws(SystemError) {
        guard let path = address.unixPath else { return }
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemError(EEXIST, of: "bind") }
        let type = isOfMessages ? SOCK_SEQPACKET : SOCK_STREAM
        let probe = socket(AF_UNIX, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(probe) }
        guard address.withSocketAddress({ connect(probe, $0, $1) }) != 0, errno == ECONNREFUSED else {
            throw SystemError(EADDRINUSE, of: "bind")
        }
        unlink(path)
    }
}

extension SocketAddress {
    /// The address of a Unix socket; `nil` for a path that does not fit the kernel's 107 bytes.
    package static func unix(path: String) -> SocketAddress? {
        let name = Array(path.utf8)
        guard (1...107).contains(name.count), !name.contains(0) else { return nil }
        let family = withUnsafeBytes(of: sa_family_t(AF_UNIX)) { Array($0) }
        return SocketAddress(bytes: family + name + [0], description: "unix:\(path)")
    }

    /// The path of a Unix socket's address.
    package var unixPath: String? {
        guard isUnix else { return nil }
        return String(decoding: bytes.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self)
    }
}

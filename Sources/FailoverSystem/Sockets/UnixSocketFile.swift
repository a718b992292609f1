import CLinux
package import FailoverCore
import Glibc

/// The file of a Unix socket before a process listens on it.
package enum UnixSocketFile {
    /// Removes a socket file that an earlier process left behind and that would make bind(2) fail.
    ///
    /// - Parameter isOfMessages: whether the socket preserves message boundaries (`SOCK_SEQPACKET`) instead of being
    ///   a stream.
    /// - Throws: `EADDRINUSE` if another process listens there, `EEXIST` if the file is not a socket. Both files are
    ///   left in place.
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
    /// The address of a Unix socket; `nil` for a path that exceeds the kernel's 107 bytes.
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

/// The mode and the group of a Unix socket's file, which decide which users may connect.
package enum SocketAccess {
    /// The number of a group, given as a name or in digits; `nil` if there is no such group.
    package static func number(ofGroup text: String) -> UInt32? {
        if let number = UInt32(text) { return number }
        var entry = group()
        var found: UnsafeMutablePointer<group>?
        var buffer = [CChar](repeating: 0, count: 16384)
        guard getgrnam_r(text, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return entry.gr_gid
    }

    /// Sets the mode and the group of a file, which must be a socket.
    ///
    /// - Parameters:
    ///   - mode: `nil` leaves it unchanged.
    ///   - group: `nil` leaves it unchanged.
    package static func set(_ path: String, mode: UInt32?, group: UInt32?) throws(SystemError) {
        guard mode != nil || group != nil else { return }
        // Opens the file itself and does not follow a link.
        let file = open(path, 0o10000000 | O_NOFOLLOW | O_CLOEXEC)  // O_PATH, which the Glibc module lacks
        guard file >= 0 else { throw .last(of: "open") }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .last(of: "fstat") }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemError(EEXIST, of: "chmod") }
        let place = "/proc/self/fd/\(file)"
        if let group, chown(place, uid_t.max, gid_t(group)) != 0 { throw .last(of: "chown") }
        if let mode, chmod(place, mode_t(mode)) != 0 { throw .last(of: "chmod") }
    }
}

import Glibc

/// Who may connect to a Unix socket: the mode and the group of its file.
package enum SocketAccess {
    /// The number of a group, by its name or in digits; `nil` if there is none.
    package static func number(ofGroup text: String) -> UInt32? {
        if let number = UInt32(text) { return number }
        var entry = group()
        var found: UnsafeMutablePointer<group>?
        var buffer = [CChar](repeating: 0, count: 16384)
        guard getgrnam_r(text, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return entry.gr_gid
    }

    /// Gives the file at a path, which must be a socket, its mode and group.
    ///
    /// - Parameters:
    ///   - mode: `nil` leaves it as it is.
    ///   - group: likewise.
    package static func set(_ path: String, mode: UInt32?, group: UInt32?) throws(SystemError) {
        guard mode != nil || group != nil else { return }
        // Of whatever is there now, and not of what a link leads to.
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

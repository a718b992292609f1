import FailoverSystem
import Glibc

/// A listening Unix socket that never was open to others than its owner and, as far as umask(2) lets it, the owner's group.
enum UnixListener {
    /// Opens it at the path, in place of one that nobody listens at any more.
    static func open(_ path: String) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else { throw AdminListenError(words: "unix:\(path): the path is too long") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }

        if isAbandoned(address) { unlink(path) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure(path) }
        // Before bind(2), so that the socket has these permissions from its first moment.
        let opened =
            fchmod(descriptor, 0o660) == 0
            && withAddress(address) { bind(descriptor, $0, $1) } == 0 && listen(descriptor, 64) == 0
        guard opened else {
            let failure = failure(path)
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    /// Whether there is a socket that refuses connections.
    private static func isAbandoned(_ address: sockaddr_un) -> Bool {
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        defer { close(probe) }
        return withAddress(address) { connect(probe, $0, $1) } != 0 && errno == ECONNREFUSED
    }

    private static func withAddress(
        _ address: sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }

    private static func failure(_ path: String) -> AdminListenError {
        AdminListenError(words: "cannot listen on unix:\(path) for administration: \(SystemError.last().words)")
    }
}

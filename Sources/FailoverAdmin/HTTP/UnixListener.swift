import FailoverCore
import FailoverSystem
import Glibc

/// A listening Unix socket that never was open to others than its owner and, as far as umask(2) lets it, the owner's group.
enum UnixListener {
    /// Opens it at the path, in place of one that nobody listens at any more.
    static func open(_ path: String) throws(AdminListenError) -> Int32 {
        guard let address = SocketAddress.unix(path: path) else {
            throw AdminListenError(.unix(path: path), "a socket's path has 1 to 107 bytes")
        }
        do throws(SystemError) {
            return try open(address)
        } catch {
            throw AdminListenError(.unix(path: path), error.words)
        }
    }

    private static func open(_ address: SocketAddress) throws(SystemError) -> Int32 {
        try UnixSocketFile.removeAbandoned(address)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .last(of: "socket") }
        // Before bind(2), so that the socket has these permissions from its first moment.
        guard fchmod(descriptor, 0o660) == 0, address.withSocketAddress({ bind(descriptor, $0, $1) }) == 0,
            listen(descriptor, 64) == 0
        else {
            let failure = SystemError.last(of: "bind")
            close(descriptor)
            throw failure
        }
        return descriptor
    }
}

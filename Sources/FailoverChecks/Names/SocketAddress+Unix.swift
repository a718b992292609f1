import FailoverCore
import Glibc

extension SocketAddress {
    /// The address of a Unix socket.
    ///
    /// - Throws: ``PingFailure/Reason/local`` when the path does not fit the kernel's 107 bytes.
    static func unix(path: String) throws(PingFailure) -> SocketAddress {
        let name = Array(path.utf8)
        guard (1...107).contains(name.count), !name.contains(0) else {
            throw PingFailure(.local, "unix:\(path): a socket's path has 1 to 107 bytes, this one has \(name.count)")
        }
        let family = withUnsafeBytes(of: sa_family_t(AF_UNIX)) { Array($0) }
        return SocketAddress(bytes: family + name + [0], description: "unix:\(path)")
    }
}

import CLinux
public import FailoverCore
import FailoverSystem
import Glibc

/// A listening socket that another opened: the process whose place this one takes, or the service manager.
public struct ReceivedListener: Sendable {
    let socket: Int32
    /// Where it listens.
    public let address: SocketAddress
    /// The route that it was opened for; `nil` when only its address tells.
    let route: String?
    /// Whether the system chose its port.
    let hasChosenPort: Bool
    /// Whether the path of a Unix socket is this process's to remove.
    let ownsPath: Bool

    /// Takes a socket over.
    ///
    /// Returns `nil`, and closes it, when it is none that listens for connections.
    public init?(owning socket: Int32, route: String? = nil, hasChosenPort: Bool = false, ownsPath: Bool) {
        guard Self.listens(socket), let address = Self.address(of: socket), fcntl(socket, F_SETFL, O_NONBLOCK) == 0
        else {
            close(socket)
            return nil
        }
        self.socket = socket
        self.address = address
        self.route = route
        self.hasChosenPort = hasChosenPort
        self.ownsPath = ownsPath
    }

    private static func listens(_ socket: Int32) -> Bool {
        func option(_ name: Int32) -> Int32 {
            var (value, size): (Int32, socklen_t) = (0, socklen_t(MemoryLayout<Int32>.size))
            return getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1
        }
        return option(SO_ACCEPTCONN) == 1 && option(SO_TYPE) == Int32(SOCK_STREAM.rawValue)
    }

    private static func address(of socket: Int32) -> SocketAddress? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout.size(ofValue: storage))
        let done = withUnsafeMutableBytes(of: &storage) { raw in
            getsockname(socket, raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
        }
        guard done == 0 else { return nil }
        return SocketAddress(kernelBytes: withUnsafeBytes(of: storage) { Array($0.prefix(Int(size))) })
    }
}

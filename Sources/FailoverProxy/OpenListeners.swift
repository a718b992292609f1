import CLinux
package import FailoverCore
import FailoverSystem
import Glibc

/// A listener of the proxy: the configured address, the bound address and the route.
struct OpenListener: Sendable {
    /// Unique in this process.
    let id: Int
    /// The configured address; port 0 lets the system choose.
    let wanted: SocketAddress
    /// The bound address, with the port that the system chose.
    let address: SocketAddress
    /// The socket. A loop owns it once the loop accepts clients.
    let socket: Int32
    /// `nil` while no route uses the listener.
    var route: Int?
    /// Whether this process removes the path of a Unix socket.
    var ownsPath = true

    /// Removes the path of a closed Unix socket.
    func removePath() {
        if ownsPath, let path = address.unixPath { unlink(path) }
    }
}

/// The proxy's listeners under one configuration.
struct OpenListeners: Sendable {
    private(set) var all: [OpenListener] = []
    private var lastID = 0

    init() {}

    /// Takes listeners that another process opened, and assigns them to the routes that they name, if any.
    init(_ received: [ReceivedListener], routes: [ProxyRoute]) {
        for listener in received {
            lastID += 1
            all.append(
                OpenListener(
                    id: lastID, wanted: listener.hasChosenPort ? listener.address.withoutPort : listener.address,
                    address: listener.address, socket: listener.socket,
                    route: routes.firstIndex { $0.name == listener.route }, ownsPath: listener.ownsPath))
        }
    }

    /// The bound addresses by route, in the configured order.
    func addresses(routes: Int) -> [[SocketAddress]] {
        (0..<routes).map { route in all.filter { $0.route == route }.map(\.address) }
    }

    /// The listeners for other routes. Open listeners at the right addresses are reused, and the missing ones are
    /// opened.
    ///
    /// - Throws: ``OperationError``. All new listeners are closed in that case.
    func changed(to routes: [ProxyRoute]) throws(OperationError) -> OpenListeners {
        var result = OpenListeners()
        result.lastID = lastID
        var former = all
        do throws(OperationError) {
            for (index, route) in routes.enumerated() {
                for address in route.listen {
                    // A port that the system chose belongs to its route.
                    let known = former.firstIndex { listener in
                        listener.wanted.isSamePlace(as: address) && (address.port != 0 || listener.route == index)
                    }
                    if let position = known {
                        var listener = former.remove(at: position)
                        listener.route = index
                        if listener.ownsPath { try route.socketAccess.apply(to: listener.address) }
                        result.all.append(listener)
                    } else {
                        try result.open(address, route: index, route)
                    }
                }
            }
        } catch {
            result.close(result.others(than: self))
            throw error
        }
        return result
    }

    /// The listeners that are not in `other`.
    func others(than other: OpenListeners) -> [OpenListener] {
        let ids = Set(other.all.map(\.id))
        return all.filter { !ids.contains($0.id) }
    }

    /// Closes sockets that no loop owns yet.
    func close(_ listeners: [OpenListener]) {
        for listener in listeners {
            Glibc.close(listener.socket)
            listener.removePath()
        }
    }

    private mutating func open(
        _ address: SocketAddress, route index: Int, _ route: ProxyRoute
    ) throws(OperationError) {
        let socket = try ListeningSocket.open(address, access: route.socketAccess, settings: route.session)
        lastID += 1
        let bound = socket.address
        all.append(
            OpenListener(id: lastID, wanted: address, address: bound, socket: socket.release(), route: index))
    }
}

extension SocketAddress {
    fileprivate var withoutPort: SocketAddress {
        var bytes = bytes
        if port != nil { bytes.replaceSubrange(2..<4, with: [0, 0]) }
        return SocketAddress(kernelBytes: bytes)
    }

    /// Whether both are the same address to the kernel. A path may end in several zero bytes.
    fileprivate func isSamePlace(as other: SocketAddress) -> Bool {
        isUnix ? unixPath == other.unixPath : bytes == other.bytes
    }
}

/// A listening socket that was opened by the process that this one replaces, or by the service manager.
package struct ReceivedListener: Sendable {
    let socket: Int32
    /// The bound address.
    package let address: SocketAddress
    /// The route that the socket was opened for; `nil` if it must be matched by address.
    let route: String?
    /// Whether the system chose the port.
    let hasChosenPort: Bool
    /// Whether this process removes the path of a Unix socket.
    let ownsPath: Bool

    /// Takes ownership of a socket.
    ///
    /// Closes the socket and returns `nil` if it is not a listening socket.
    package init?(owning socket: Int32, route: String? = nil, hasChosenPort: Bool = false, ownsPath: Bool) {
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

import FailoverCore
import FailoverSystem
import Glibc

/// A listener of the proxy: where it was to listen, where it does, and for whom.
struct OpenListener: Sendable {
    /// Tells it from others of this process.
    let id: Int
    /// As it was asked for; port 0 lets the system choose.
    let wanted: SocketAddress
    /// With the port that the system chose.
    let address: SocketAddress
    /// The socket; a loop owns it once it listens.
    let socket: Int32
    /// `nil` while no route has taken it.
    var route: Int?
    /// Whether the path of a Unix socket is this process's to remove.
    var ownsPath = true

    /// Takes away the path of a Unix socket that is closed.
    func removePath() {
        if ownsPath, let path = address.unixPath { unlink(path) }
    }
}

/// The proxy's listeners under one configuration.
struct OpenListeners: Sendable {
    private(set) var all: [OpenListener] = []
    private var lastID = 0

    init() {}

    /// Those that another opened, for routes of these names if they say so.
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

    /// By route, in the order in which they were asked for.
    func addresses(routes: Int) -> [[SocketAddress]] {
        (0..<routes).map { route in all.filter { $0.route == route }.map(\.address) }
    }

    /// The listeners for other routes: those that are open at the right addresses already, and new ones.
    ///
    /// - Throws: ``ListenError``; no new one stays open then.
    func changed(to routes: [ProxyRoute]) throws(ListenError) -> OpenListeners {
        var result = OpenListeners()
        result.lastID = lastID
        var former = all
        do throws(ListenError) {
            for (index, route) in routes.enumerated() {
                for address in route.listen {
                    // A port that the system chose is nobody else's.
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

    /// Those that are not among the others.
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
    ) throws(ListenError) {
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

    /// Whether the kernel means the same; a path may end in more zeros than one.
    fileprivate func isSamePlace(as other: SocketAddress) -> Bool {
        isUnix ? unixPath == other.unixPath : bytes == other.bytes
    }
}

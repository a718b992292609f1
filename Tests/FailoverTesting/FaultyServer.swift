import Glibc
import Synchronization

/// A server that plays a script to each client: exact bytes, silence, a reset. It listens on a port of 127.0.0.1 that
/// the system chooses, and stops at the end of its life.
public final class FaultyServer: Sendable {
    private let sockets: FaultyServerSockets

    /// Starts to listen. Each connection runs the script on a thread of its own and is closed when the script ends.
    ///
    /// - Parameters:
    ///   - lastByte: the last byte of the address; default: 127.0.0.1.
    ///   - port: default: chosen by the system.
    public init(lastByte: UInt8 = 1, port: UInt16 = 0, script: @escaping @Sendable (FaultyServerConnection) -> Void) {
        let sockets = FaultyServerSockets(backlog: 128, at: loopback(lastByte: lastByte, port: port))
        self.sockets = sockets
        sockets.serve(script)
    }

    deinit { stop() }

    /// The port of the listener.
    public var port: UInt16 { sockets.port }

    /// The number of connections accepted so far.
    public var connections: Int { sockets.acceptedCount }

    /// Closes the listener and all connections. Scripts that read see the end of the stream. Scripts that hold a
    /// connection continue to their end.
    public func stop() { sockets.stop() }
}

/// A listener that answers no connection attempt: its backlog is full, and it accepts no connection.
public final class SwallowingServer: Sendable {
    private let sockets: FaultyServerSockets
    private let fillers: [Int32]

    /// - Parameters:
    ///   - lastByte: the last byte of the address; default: 127.0.0.1.
    ///   - port: default: chosen by the system.
    public init(lastByte: UInt8 = 1, port: UInt16 = 0) {
        sockets = FaultyServerSockets(backlog: 0, at: loopback(lastByte: lastByte, port: port))
        let port = sockets.port
        // The kernel keeps one connection more than the backlog, and then drops what arrives.
        fillers = (0..<4).map { _ in
            let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            var address = loopback(lastByte: lastByte, port: port)
            withBytes(of: &address) { _ = connect(filler, $0, $1) }
            return filler
        }
    }

    deinit {
        for filler in fillers { close(filler) }
        sockets.stop()
    }

    public var port: UInt16 { sockets.port }
}

/// A port of 127.0.0.1 without a listener. No other process can listen there while this exists.
public final class UnusedPort: Sendable {
    private let descriptor: Int32
    public let port: UInt16

    public init() {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        port = bindToPort(descriptor)
    }

    deinit { close(descriptor) }
}

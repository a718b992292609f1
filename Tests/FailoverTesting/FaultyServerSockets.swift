import FailoverCore
import FailoverSystem
import Glibc

/// The sockets of a ``FaultyServer``, shared by its threads and closed once.
final class FaultyServerSockets: Sendable {
    private struct State {
        var open: [Int: Int32] = [:]
        var accepted = 0
        var isStopped = false
    }

    let port: UInt16
    private let listener: Int32
    /// Carries no data. Closing its other end wakes every thread that polls it.
    private let stopSignal: (wait: Int32, close: Int32)
    private let state = Lock(State())

    init(backlog: Int32, at address: sockaddr_in = loopback()) {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        port = bindToPort(listener, at: address)
        listen(listener, backlog)
        var pair: [Int32] = [-1, -1]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair)
        stopSignal = (pair[0], pair[1])
    }

    deinit {
        Glibc.close(listener)
        Glibc.close(stopSignal.wait)
    }

    var acceptedCount: Int { state.withLock { $0.accepted } }

    /// Plays the script to each client, on a thread of its own, until the server stops.
    func serve(_ script: @escaping @Sendable (FaultyServerConnection) -> Void) {
        Self.onThread { [self] in
            while let connection = accept() {
                Self.onThread {
                    script(connection)
                    connection.close()
                }
            }
        }
    }

    private static func onThread(_ run: @escaping @Sendable () -> Void) {
        do { try NativeThread.start(name: "script", run) } catch { preconditionFailure("\(error)") }
    }

    /// Waits for the next client; `nil` when the server has stopped.
    private func accept() -> FaultyServerConnection? {
        let descriptor = Glibc.accept(listener, nil, nil)
        guard descriptor >= 0 else { return nil }
        return state.withLock { state in
            guard !state.isStopped else {
                Glibc.close(descriptor)
                return nil
            }
            state.accepted += 1
            state.open[state.accepted] = descriptor
            return FaultyServerConnection(id: state.accepted, descriptor: descriptor, sockets: self)
        }
    }

    func close(_ connection: FaultyServerConnection) {
        state.withLock { state in
            guard let descriptor = state.open.removeValue(forKey: connection.id) else { return }
            Glibc.close(descriptor)
        }
    }

    func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            Glibc.close(stopSignal.close)
            // Wakes recv(2), which closing would not.
            stopListening()
            for descriptor in state.open.values { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    /// Refuses new connections. Open ones continue. Wakes accept(2), which closing would not.
    func stopListening() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Whether the server stopped within the time; -1 waits without limit.
    @discardableResult
    func waitForStop(milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: stopSignal.wait, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }
}

/// Binds the socket and returns the port. The system chooses it if the address has none.
func bindToPort(_ descriptor: Int32, at address: sockaddr_in = loopback()) -> UInt16 {
    var address = address
    withBytes(of: &address) { _ = bind(descriptor, $0, $1) }
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &size) }
    }
    return UInt16(bigEndian: address.sin_port)
}

func loopback(lastByte: UInt8 = 1, port: UInt16 = 0) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = (0x7f00_0000 | UInt32(lastByte)).bigEndian
    return address
}

func withBytes(of address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Void) {
    withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}

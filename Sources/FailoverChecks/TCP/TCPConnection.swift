import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// A connected, non-blocking stream socket of our own; closed when it goes out of use.
struct TCPConnection: ~Copyable {
    private let descriptor: Int32

    /// Connects to the attempt's address before its deadline.
    init(_ attempt: PingAttempt) throws(PingFailure) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        descriptor = socket(attempt.address.family, type, 0)
        guard descriptor >= 0 else { throw attempt.failure(SystemError.last()) }

        if attempt.address.withSocketAddress({ connect(descriptor, $0, $1) }) == 0 { return }
        // A Unix socket whose backlog is full says EAGAIN and offers nothing to wait for.
        guard errno == EINPROGRESS else { throw attempt.failure(SystemError.last()) }
        try attempt.wait(for: POLLOUT, on: descriptor)
        if let error = Self.pendingError(of: descriptor) { throw attempt.failure(error) }
    }

    /// The PROXY header for what this connection itself says.
    func header(_ version: ProxyHeaderVersion) -> [UInt8] { version.bytes(ofSocket: descriptor) }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The error that a connect in the background ended with. Asking for it takes it away.
    static func pendingError(of descriptor: Int32) -> SystemError? {
        var number: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        if getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size) != 0 { return .last() }
        return number == 0 ? nil : SystemError(number)
    }

    /// Sends all bytes before the attempt's deadline.
    ///
    /// A peer that is gone is no error yet: it may have said why, so that the next ``receive(_:)`` tells more.
    func send(_ bytes: [UInt8], _ attempt: PingAttempt) throws(PingFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch errno {
            case EAGAIN: try attempt.wait(for: POLLOUT, on: descriptor)
            case EINTR: continue
            case EPIPE, ECONNRESET: return
            default: throw attempt.failure(SystemError.last())
            }
        }
    }

    /// Waits for bytes, and takes what has arrived.
    ///
    /// - Throws: `.disconnected` when the peer has closed the connection.
    func receive(_ attempt: PingAttempt) throws(PingFailure) -> ArraySlice<UInt8> {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            try attempt.wait(for: POLLIN, on: descriptor)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 { return buffer[..<count] }
            if count == 0 { throw attempt.failure(.disconnected, "closed the connection") }
            if errno != EAGAIN && errno != EINTR { throw attempt.failure(SystemError.last()) }
        }
    }

    /// Says goodbye and reads what the peer may have said until it closes, for a moment: closing with unread bytes
    /// would be a reset, and somebody's log line.
    consuming func closeInOrder(before deadline: Deadline) {
        shutdown(descriptor, Int32(SHUT_WR))
        let moment = Deadline(min(deadline.remaining, .milliseconds(100)))
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case .ready = SocketReadiness.wait(for: POLLIN, on: descriptor, until: moment) {
            if recv(descriptor, &buffer, buffer.count, 0) <= 0 { return }
        }
    }
}

import CLinux
package import FailoverCore
package import FailoverSystem
import Glibc

/// Pings a port: connects, and closes the connection properly.
package struct TCPDriver: WaitingPingDriver {
    /// The PROXY header to send first; `nil` sends none.
    var proxyHeader: ProxyHeaderVersion?

    package init(proxyHeader: ProxyHeaderVersion? = nil) { self.proxyHeader = proxyHeader }

    package func ping(_ attempt: PingAttempt) async throws(PingFailure) -> ServerAnswer {
        let watch: DescriptorWatch
        do { watch = try .shared() } catch { throw attempt.failure(.local, error.message) }
        let connection = try TCPConnection(beginning: attempt)
        switch await watch.wait(for: POLLOUT, on: connection.descriptor, until: attempt.deadline) {
        case .ready: break
        case .timedOut: throw attempt.timeout
        case .failed(let error): throw attempt.failure(.local, error.message)
        }
        try connection.confirm(attempt)
        if let proxyHeader { try connection.send(connection.header(proxyHeader), attempt) }
        connection.closeInOrder(before: attempt.deadline, watch)
        return ServerAnswer()
    }
}

/// A connected, non-blocking stream socket. It is closed when it goes out of scope.
package struct TCPConnection: ~Copyable {
    let descriptor: Int32

    /// The maximum wait for a peer to close the connection after this side has.
    private static let closingTime = Duration.milliseconds(100)

    /// Connects to the attempt's address before its deadline.
    package static func connected(_ attempt: PingAttempt) throws(PingFailure) -> TCPConnection {
        let connection = try TCPConnection(beginning: attempt)
        try attempt.wait(for: POLLOUT, on: connection.descriptor)
        try connection.confirm(attempt)
        return connection
    }

    /// Starts to connect. When the socket is writable, ``confirm(_:)`` checks the result.
    fileprivate init(beginning attempt: PingAttempt) throws(PingFailure) {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        descriptor = socket(attempt.address.family, type, 0)
        guard descriptor >= 0 else { throw attempt.failure(SystemError.last()) }
        if attempt.address.withSocketAddress({ connect(descriptor, $0, $1) }) == 0 { return }
        // connect(2) on a Unix socket with a full backlog returns EAGAIN, and there is nothing to wait for.
        guard errno == EINPROGRESS else { throw attempt.failure(SystemError.last()) }
    }

    /// Checks the result of the connect, and throws if it failed.
    fileprivate func confirm(_ attempt: PingAttempt) throws(PingFailure) {
        if let error = Self.pendingError(of: descriptor) { throw attempt.failure(error) }
    }

    /// The PROXY header with this connection's own addresses.
    package func header(_ version: ProxyHeaderVersion) -> [UInt8] { version.bytes(ofSocket: descriptor) }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The error of a non-blocking connect; `nil` if there is none. Reading the error clears it.
    static func pendingError(of descriptor: Int32) -> SystemError? {
        var number: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        if getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size) != 0 { return .last() }
        return number == 0 ? nil : SystemError(number)
    }

    /// Sends all bytes before the attempt's deadline.
    ///
    /// It is not an error if the peer has closed the connection. The peer may have sent the reason, which the next
    /// ``receive(_:)`` returns.
    package func send(_ bytes: [UInt8], _ attempt: PingAttempt) throws(PingFailure) {
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

    /// Waits for bytes and returns those that have arrived.
    ///
    /// - Throws: `.disconnected` if the peer has closed the connection.
    package func receive(_ attempt: PingAttempt) throws(PingFailure) -> ArraySlice<UInt8> {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            try attempt.wait(for: POLLIN, on: descriptor)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 { return buffer[..<count] }
            if count == 0 { throw attempt.failure(.disconnected, "closed the connection") }
            if errno != EAGAIN && errno != EINTR { throw attempt.failure(SystemError.last()) }
        }
    }

    /// Closes the sending direction, and reads until the peer closes, for at most 100 ms. A close with unread bytes
    /// would send a reset, which servers log.
    package consuming func closeInOrder(before deadline: Deadline) {
        shutdown(descriptor, Int32(SHUT_WR))
        let moment = Deadline(min(deadline.remaining, Self.closingTime))
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case .ready = SocketReadiness.wait(for: POLLIN, on: descriptor, until: moment) {
            if recv(descriptor, &buffer, buffer.count, 0) <= 0 { return }
        }
    }

    /// Does the same without blocking: the watch reads and closes, and this call returns at once.
    fileprivate consuming func closeInOrder(before deadline: Deadline, _ watch: DescriptorWatch) {
        shutdown(descriptor, Int32(SHUT_WR))
        watch.drain(owning: descriptor, until: Deadline(min(deadline.remaining, Self.closingTime)))
        discard self
    }
}

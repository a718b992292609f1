import FailoverCore
import FailoverSystem
import Glibc

/// One client of a ``FaultyServer``, as its script sees it.
public struct FaultyServerConnection: Sendable {
    let id: Int
    let descriptor: Int32
    let sockets: FaultyServerSockets
    /// TLS, once it has begun.
    var tls: TLSPeer?

    init(id: Int, descriptor: Int32, sockets: FaultyServerSockets) {
        self.id = id
        self.descriptor = descriptor
        self.sockets = sockets
    }

    /// Waits for at least `count` bytes, and returns all that have arrived. Returns fewer if the client closes
    /// earlier.
    @discardableResult
    public func receive(atLeast count: Int = 1) -> [UInt8] {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while received.count < count {
            if let tls {
                guard let part = try? tls.receive(upTo: buffer.count), !part.isEmpty else { break }
                received += part
                continue
            }
            let length = recv(descriptor, &buffer, buffer.count, 0)
            guard length > 0 else { break }
            received += buffer[..<length]
        }
        return received
    }

    /// Waits for exactly `count` bytes; `nil` if the client closes earlier.
    public func receive(exactly count: Int) -> [UInt8]? {
        if let tls {
            var received: [UInt8] = []
            while received.count < count {
                guard let part = try? tls.receive(upTo: count - received.count), !part.isEmpty else { return nil }
                received += part
            }
            return received
        }
        var buffer = [UInt8](repeating: 0, count: count)
        let length = recv(descriptor, &buffer, count, Int32(MSG_WAITALL))
        return length == count ? buffer : nil
    }

    /// Reads until the client closes.
    @discardableResult
    public func receiveToEnd() -> [UInt8] { receive(atLeast: .max) }

    /// Waits until the client has ended its direction, and leaves its bytes unread.
    public func waitForEnd() {
        let peerEnded: Int16 = 0x2000  // POLLRDHUP, which the Glibc module lacks
        var event = pollfd(fd: descriptor, events: peerEnded, revents: 0)
        while event.revents & peerEnded == 0, poll(&event, 1, -1) >= 0 {}
    }

    /// Sends bytes. Does not wait for their arrival.
    ///
    /// - Returns: false if the client has disconnected.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        if let tls { return (try? tls.send(bytes)) != nil }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// The client's port; `nil` if it has disconnected.
    public var peerPort: UInt16? { SocketAddress.peer(of: descriptor)?.port }

    /// Closes the connection normally.
    public func close() { sockets.close(self) }

    /// Closes the connection with a reset.
    public func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Stays connected and silent until the server stops, or for this time.
    public func holdOpen(milliseconds: Int32 = -1) { sockets.waitForStop(milliseconds: milliseconds) }

    /// Sends the bytes one by one, with a pause before each, until the client disconnects or the server stops.
    public func dribble(_ bytes: [UInt8], every milliseconds: Int32) {
        for byte in bytes where sockets.waitForStop(milliseconds: milliseconds) || !send([byte]) { return }
    }
}

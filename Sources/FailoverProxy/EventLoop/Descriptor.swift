import CLinux
import FailoverTLS
import Glibc

/// A file descriptor with one owner. It is closed when the value goes out of scope.
struct Descriptor: ~Copyable, Sendable {
    let raw: Int32

    init(owning raw: Int32) { self.raw = raw }

    deinit { close(raw) }

    /// Gives up ownership. The caller closes the descriptor.
    consuming func release() -> Int32 {
        let raw = raw
        discard self
        return raw
    }
}

/// The result of a transfer on a non-blocking socket.
enum Transfer: Equatable {
    case bytes(Int)
    /// There is no data, or no buffer space, until the next event.
    case wouldBlock
    /// The peer has closed its sending direction.
    case ended
    /// `errno`.
    case failed(Int32)
}

extension Descriptor {
    /// Receives available bytes, up to the buffer's size.
    func receive(into buffer: borrowing ReadBuffer) -> Transfer { receive(into: buffer, atMost: buffer.bytes.count) }

    /// Receives available bytes, up to `limit`. The buffer must be at least that large.
    ///
    /// - Parameter flags: flags of recv(2).
    func receive(into buffer: borrowing ReadBuffer, atMost limit: Int, flags: Int32 = 0) -> Transfer {
        while true {
            let count = recv(raw, buffer.bytes.baseAddress, min(limit, buffer.bytes.count), flags)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .ended }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case let code: return .failed(code)
            }
        }
    }

    /// Sends as many of the bytes as the socket accepts.
    func send(_ bytes: [UInt8]) -> Transfer { bytes.withUnsafeBytes { send($0) } }

    /// Sends the rest of buffered bytes.
    func send(_ pending: borrowing PendingBytes) -> Transfer {
        pending.withRemaining { send($0) }
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        while true {
            let count = Glibc.send(raw, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case let code: return .failed(code)
            }
        }
    }

    /// Whether the peer has closed its sending direction and all its bytes were received.
    var peerHasEnded: Bool {
        var byte: UInt8 = 0
        return recv(raw, &byte, 1, Int32(MSG_PEEK)) == 0
    }

    /// Whether there are bytes, an end of stream or an error to receive.
    var hasMore: Bool {
        var byte: UInt8 = 0
        return recv(raw, &byte, 1, Int32(MSG_PEEK)) >= 0 || errno != EAGAIN
    }

    /// The approximate number of bytes that the socket accepts at once; socket(7), `SO_MEMINFO`. 0 if the kernel does
    /// not report it.
    var room: Int {
        // linux/sock_diag.h: the option, the number of values in sk_meminfo and the indices of three of them.
        let (option, count, allocated, limit, queued): (Int32, Int, Int, Int, Int) = (55, 9, 2, 3, 5)
        var length = socklen_t(count * MemoryLayout<UInt32>.size)
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { info in
            guard getsockopt(raw, SOL_SOCKET, option, info.baseAddress, &length) == 0,
                Int(length) >= count * MemoryLayout<UInt32>.size
            else { return 0 }
            // The kernel counts the bytes of network sockets as queued and those of local sockets as allocated.
            let room = Int(info[limit]) - Int(max(info[queued], info[allocated]))
            // The kernel also counts its bookkeeping for each packet.
            return max(0, room - room / 16)
        }
    }

    /// Closes the sending direction.
    func endSending() { shutdown(raw, Int32(SHUT_WR)) }

    /// The pending error of a connection attempt or of the network; 0 is none.
    var pendingError: Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }

    func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(raw, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}

/// A connection to a server outside of a session's relay: bytes pass on the socket, or within TLS on it.
struct ServerConnection: ~Copyable {
    let descriptor: Descriptor
    private(set) var tls: TLSChannel?

    init(_ descriptor: consuming Descriptor, tls: TLSChannel? = nil) {
        self.descriptor = descriptor
        self.tls = tls
    }

    /// Begins TLS. Call ``TLSChannel/handshake()`` of ``tls`` until it is established.
    mutating func beginTLS(_ context: TLSContext) throws(TLSFailure) {
        tls = try TLSChannel(context, descriptor: descriptor.raw)
    }

    func receive(into buffer: borrowing ReadBuffer) -> Transfer {
        guard let tls else { return descriptor.receive(into: buffer) }
        return tls.receive(into: buffer.bytes).received
    }

    func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
        guard let tls else { return descriptor.send(bytes) }
        return tls.send(bytes).sent
    }

    func send(_ bytes: [UInt8]) -> Transfer { bytes.withUnsafeBytes { send($0) } }

    /// Whether TLS has bytes that no event of the socket announces.
    var hasMore: Bool { tls?.mayHaveMore ?? false }
}

extension TLSTransfer {
    /// The result of receiving, as that of a socket.
    var received: Transfer {
        switch self {
        case .bytes(let count): .bytes(count)
        case .wouldBlock, .paused: .wouldBlock
        case .ended, .truncated: .ended
        case .failed(let code): .failed(code)
        }
    }

    /// The result of sending, as that of a socket. After the handshake, sending waits for no bytes of the peer:
    /// renegotiation is off.
    var sent: Transfer { received == .ended ? .failed(EPIPE) : received }
}

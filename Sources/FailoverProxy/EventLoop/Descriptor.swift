import CLinux
import Glibc

/// A file descriptor with one owner, closed with it.
struct Descriptor: ~Copyable, Sendable {
    let raw: Int32

    init(owning raw: Int32) { self.raw = raw }

    deinit { close(raw) }

    /// Gives the descriptor away; the receiver closes it.
    consuming func release() -> Int32 {
        let raw = raw
        discard self
        return raw
    }
}

/// What a transfer on a non-blocking socket came to.
enum Transfer: Equatable {
    case bytes(Int)
    /// Nothing to be had, or no room, until the next event.
    case wouldBlock
    /// The peer has sent all it will send.
    case ended
    /// `errno`.
    case failed(Int32)
}

extension Descriptor {
    /// Receives what there is, up to the buffer's size.
    func receive(into buffer: borrowing ReadBuffer) -> Transfer { receive(into: buffer, atMost: buffer.bytes.count) }

    /// Receives what there is, up to a number of bytes that the buffer has room for.
    ///
    /// - Parameter flags: as recv(2) takes them.
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

    /// Sends the first `count` bytes of the buffer, or as many as there is room for.
    func send(_ buffer: borrowing ReadBuffer, count: Int) -> Transfer {
        send(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer.bytes)[..<count]))
    }

    /// Sends the bytes, or as many as there is room for.
    func send(_ bytes: [UInt8]) -> Transfer { bytes.withUnsafeBytes { send($0) } }

    /// Sends what is left of bytes that were kept back.
    func send(_ pending: borrowing PendingBytes) -> Transfer {
        pending.withRemaining { send($0) }
    }

    private func send(_ bytes: UnsafeRawBufferPointer) -> Transfer {
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

    /// Whether the peer has ended its direction and all it sent was received.
    var peerHasEnded: Bool {
        var byte: UInt8 = 0
        return recv(raw, &byte, 1, Int32(MSG_PEEK)) == 0
    }

    /// Whether there is something to receive, be it the end.
    var hasMore: Bool {
        var byte: UInt8 = 0
        return recv(raw, &byte, 1, Int32(MSG_PEEK)) >= 0
    }

    /// Bytes that the socket takes at once, about; socket(7), `SO_MEMINFO`. 0 where the kernel does not tell.
    var room: Int {
        // linux/sock_diag.h: the numbers of sk_meminfo that are told, and where these stand.
        let (option, count, allocated, limit, queued): (Int32, Int, Int, Int, Int) = (55, 9, 2, 3, 5)
        var length = socklen_t(count * MemoryLayout<UInt32>.size)
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { info in
            guard getsockopt(raw, SOL_SOCKET, option, info.baseAddress, &length) == 0,
                Int(length) >= count * MemoryLayout<UInt32>.size
            else { return 0 }
            // A socket of the network has them in its queue, one of this machine on their way.
            let room = Int(info[limit]) - Int(max(info[queued], info[allocated]))
            // The kernel keeps books about each packet beside its bytes.
            return max(0, room - room / 16)
        }
    }

    /// Tells the peer that nothing more will come.
    func endSending() { shutdown(raw, Int32(SHUT_WR)) }

    /// The error that a connection attempt or the network left on the socket; 0 is none.
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

import FailoverTLS
import Foundation
import Testing

/// A connected pair of non-blocking sockets. They are closed when the value goes out of scope.
final class Sockets {
    let (near, far): (Int32, Int32)

    /// - Parameter room: the size of their buffers in bytes; `nil` is the system's default.
    init(room: Int32? = nil) {
        var ends: [Int32] = [0, 0]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends)
        (near, far) = (ends[0], ends[1])
        guard var room else { return }
        for end in ends { setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, socklen_t(MemoryLayout<Int32>.size)) }
    }

    deinit {
        close(near)
        close(far)
    }
}

/// Both ends of a TLS session: the proxy's channel as the server, and one as the client.
final class Pair {
    let sockets: Sockets
    let server: TLSChannel
    let client: TLSChannel

    init(
        server: TLSContext, client: TLSContext, sockets: Sockets = Sockets(), resumption: TLSResumption? = nil
    ) throws {
        self.sockets = sockets
        self.server = try TLSChannel(server, descriptor: sockets.near)
        self.client = try TLSChannel(client, descriptor: sockets.far, resumption: resumption)
    }

    /// Completes the handshake.
    func shakeHands() throws {
        var (serverWaits, clientWaits): (TLSReadiness?, TLSReadiness?) = (.readable, .readable)
        for _ in 0..<20 where serverWaits != nil || clientWaits != nil {
            if clientWaits != nil { clientWaits = try client.handshake() }
            if serverWaits != nil { serverWaits = try server.handshake() }
        }
        #expect(serverWaits == nil && clientWaits == nil)
    }

    static func ready(
        server: TLSContext? = nil, client: TLSContext? = nil, sockets: Sockets = Sockets(),
        resumption: TLSResumption? = nil
    ) throws -> Pair {
        let pair = try Pair(
            server: server ?? .server(), client: client ?? .client(), sockets: sockets, resumption: resumption)
        try pair.shakeHands()
        return pair
    }
}

extension TLSChannel {
    /// Receives what there is.
    func heard(atMost size: Int = 1 << 17) -> (bytes: [UInt8], last: TLSTransfer) {
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            switch receive(into: buffer) {
            case .bytes(let count): bytes += buffer[..<count]
            case .paused: continue
            case let last: return (bytes, last)
            }
        }
    }

    func text() -> String { String(decoding: heard().bytes, as: UTF8.self) }

    @discardableResult
    func say(_ text: String) -> TLSTransfer { Array(text.utf8).withUnsafeBytes { send($0) } }

    func say(_ bytes: ArraySlice<UInt8>) -> TLSTransfer { bytes.withUnsafeBytes { send($0) } }
}

/// All bytes that a socket has now.
func taken(from socket: Int32) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    let count = recv(socket, &buffer, buffer.count, 0)
    return count > 0 ? Array(buffer[..<count]) : []
}

/// Moves bytes between two pairs of sockets, as a network does.
struct Link {
    let left = Sockets()
    let right = Sockets()

    /// - Parameter size: the number of bytes that arrive at once.
    /// - Returns: whether there were any.
    @discardableResult
    func move(toRight: Bool, atMost size: Int = 1 << 18) -> Bool {
        var buffer = [UInt8](repeating: 0, count: size)
        let count = recv(toRight ? left.far : right.near, &buffer, size, 0)
        guard count > 0 else { return false }
        return send(toRight ? right.near : left.far, buffer, count, Int32(MSG_NOSIGNAL)) == count
    }
}

/// A small random generator with a seed.
struct Random: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

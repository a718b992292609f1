import FailoverSystem
import Glibc

/// A client socket for tests. Its blocking calls run on threads of their own, never on Swift's cooperative threads.
public final class TCPClient: Sendable {
    public struct Failure: Error, Equatable {
        public let call: String
        public let code: Int32
    }

    private let descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
        // A peer that says nothing for so long fails the test, which would otherwise never end.
        var limit = timeval(tv_sec: Int(Duration.ample.components.seconds), tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout.size(ofValue: limit)))
    }

    deinit { Glibc.close(descriptor) }

    /// Connects to a port of 127.0.0.1.
    public static func connect(port: Int) async throws -> TCPClient {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return try await connect(family: AF_INET, withUnsafeBytes(of: address) { Array($0) })
    }

    /// Connects to the bytes of a `sockaddr` of that family.
    public static func connect(family: Int32, _ address: [UInt8]) async throws -> TCPClient {
        let client = TCPClient(descriptor: socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        try await client.blocking("connect") { descriptor in
            address.withUnsafeBytes {
                Int(
                    Glibc.connect(
                        descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)))
            }
        }
        return client
    }

    /// Sends all bytes.
    public func send(_ bytes: [UInt8]) async throws {
        var sent = 0
        while sent < bytes.count {
            let rest = bytes[sent...]
            sent += try await blocking("send") { descriptor in
                rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
        }
    }

    public func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// Receives that many bytes, or fewer if the peer closes earlier.
    public func receive(_ count: Int) async throws -> [UInt8] {
        var received: [UInt8] = []
        while received.count < count {
            let part = try await receiveSome(upTo: count - received.count)
            if part.isEmpty { break }
            received += part
        }
        return received
    }

    public func receiveText(_ count: Int) async throws -> String {
        String(decoding: try await receive(count), as: UTF8.self)
    }

    /// Receives until the peer closes, and returns the number of bytes.
    public func drain() async throws -> Int {
        var total = 0
        while true {
            let count = try await receiveSome(upTo: 1 << 20).count
            if count == 0 { return total }
            total += count
        }
    }

    /// Whether the peer closes without sending data. A reset counts too, because it is the result of a close with
    /// unread bytes.
    public func isLetGo() async throws -> Bool {
        do {
            return try await drain() == 0
        } catch let failure as Failure where failure.code == ECONNRESET {
            return true
        }
    }

    /// Ends this direction. The other one stays open.
    public func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Resets the connection instead of ending it.
    public func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    private func receiveSome(upTo limit: Int) async throws -> [UInt8] {
        try await onThread { [descriptor] in
            let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
                count = recv(descriptor, buffer.baseAddress, limit, 0)
                if count < 0 { count = 0 } else { errno = 0 }
            }
            let code = errno
            if bytes.isEmpty, code != 0 { throw Failure(call: "recv", code: code) }
            return bytes
        }
    }

    @discardableResult
    private func blocking(_ call: String, _ body: @escaping @Sendable (Int32) -> Int) async throws -> Int {
        try await onThread { [descriptor] in
            let result = body(descriptor)
            if result < 0 { throw Failure(call: call, code: errno) }
            return result
        }
    }
}

/// Dispatch has few threads. Blocking ones would delay each other and every other user of Dispatch.
private let blockingThreads = BlockingThreads()

/// Runs blocking code on a thread of its own.
public func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        do {
            try blockingThreads.start { continuation.resume(with: Result { try body() }) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}

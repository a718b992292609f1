import FailoverSystem
package import FailoverTLS
import Glibc

/// A client socket for tests. Its blocking calls run on threads of their own, never on Swift's cooperative threads.
public final class TCPClient: Sendable {
    public struct Failure: Error, Equatable {
        public let call: String
        public let code: Int32

        public init(call: String, code: Int32) {
            self.call = call
            self.code = code
        }
    }

    private let descriptor: Int32
    private let tls = Lock<TLSPeer?>(nil)

    private init(descriptor: Int32) {
        self.descriptor = descriptor
        // A peer that says nothing for so long fails the test, which would otherwise never end.
        var limit = timeval(tv_sec: Int(Duration.ample.components.seconds), tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout.size(ofValue: limit)))
    }

    deinit { Glibc.close(descriptor) }

    /// Connects to a port of 127.0.0.1.
    ///
    /// - Parameter lastByte: the last byte of the client's own address; default: chosen by the system, 127.0.0.1.
    public static func connect(port: Int, from lastByte: UInt8? = nil) async throws -> TCPClient {
        let address = loopback(port: UInt16(port))
        return try await connect(family: AF_INET, withUnsafeBytes(of: address) { Array($0) }, from: lastByte)
    }

    /// Connects to the bytes of a `sockaddr` of that family.
    public static func connect(
        family: Int32, _ address: [UInt8], from lastByte: UInt8? = nil
    ) async throws -> TCPClient {
        let client = TCPClient(descriptor: socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        if let lastByte { _ = bindToPort(client.descriptor, at: loopback(lastByte: lastByte)) }
        try await client.blocking("connect") { descriptor in
            address.withUnsafeBytes {
                Int(
                    Glibc.connect(
                        descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)))
            }
        }
        return client
    }

    /// Begins TLS as a client. All further bytes are within it.
    package func beginTLS(_ context: TLSContext) async throws {
        let descriptor = descriptor
        let peer = try await onThread { try TLSPeer(context, descriptor: descriptor) }
        tls.withLock { $0 = peer }
    }

    /// Whether the peer has ended TLS with a closure alert; `nil` before the end.
    package var hasClosure: Bool? { tls.withLock { $0 }?.hasClosure }

    /// Whether no byte has arrived that was not received.
    public var hasNothing: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) < 0 && errno == EAGAIN
    }

    /// Sends all bytes.
    public func send(_ bytes: [UInt8]) async throws {
        if let tls = tls.withLock({ $0 }) { return try await onThread { try tls.send(bytes) } }
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

    /// Ends this direction; within TLS with a closure alert. The other one stays open.
    public func endSending() {
        if let tls = tls.withLock({ $0 }) { try? tls.endSending() } else { truncate() }
    }

    /// Ends this direction without a closure alert. The other one stays open.
    public func truncate() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Resets the connection instead of ending it.
    public func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    /// Waits for bytes, and returns up to that many; none at the end of the stream.
    public func receiveSome(upTo limit: Int) async throws -> [UInt8] {
        if let tls = tls.withLock({ $0 }) { return try await onThread { try tls.receive(upTo: limit) } }
        return try await onThread { [descriptor] in
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

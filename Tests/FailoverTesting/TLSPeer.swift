import FailoverSystem
package import FailoverTLS
import Glibc

/// TLS on a socket of a test, for either side. Its calls block, so they belong on threads of their own.
///
/// One thread may send while another one receives.
package final class TLSPeer: Sendable {
    private let descriptor: Int32
    private let channel: Lock<TLSChannel>
    private let end = Lock<TLSTransfer?>(nil)

    /// Completes the handshake on a socket, which stays the caller's and becomes non-blocking.
    package init(_ context: TLSContext, descriptor: Int32) throws {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        self.descriptor = descriptor
        channel = Lock(try TLSChannel(context, descriptor: descriptor))
        while let readiness = try channel.withLock({ try $0.handshake() }) { try wait(readiness) }
    }

    /// Waits for bytes; none at the end of the stream.
    package func receive(upTo limit: Int) throws -> [UInt8] {
        while true {
            let (bytes, transfer) = channel.withLock { channel in
                var transfer = TLSTransfer.bytes(0)
                let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
                    transfer = channel.receive(into: UnsafeMutableRawBufferPointer(buffer))
                    if case .bytes(let received) = transfer { count = received }
                }
                return (bytes, transfer)
            }
            switch transfer {
            case .bytes: return bytes
            case .paused: continue
            case .wouldBlock(let readiness): try wait(readiness)
            case .ended, .truncated:
                end.withLock { $0 = transfer }
                return []
            case .failed(let code): throw TCPClient.Failure(call: "recv in TLS", code: code)
            }
        }
    }

    /// Whether the peer has ended its direction with a closure alert; `nil` before the end.
    package var hasClosure: Bool? { end.withLock { $0 }.map { $0 == .ended } }

    /// Sends all bytes.
    package func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch channel.withLock({ channel in rest.withUnsafeBytes { channel.send($0) } }) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock(let readiness): try wait(readiness)
            case .failed(let code): throw TCPClient.Failure(call: "send in TLS", code: code)
            case .paused, .ended, .truncated: throw TCPClient.Failure(call: "send in TLS", code: EPIPE)
            }
        }
    }

    /// Ends the sending direction with a closure alert.
    package func endSending() throws {
        while let readiness = channel.withLock({ $0.endSending() }) { try wait(readiness) }
    }

    /// What the handshake has agreed on.
    package var version: String { channel.withLock { $0.version } }

    private func wait(_ readiness: TLSReadiness) throws {
        var event = pollfd(fd: descriptor, events: Int16(readiness == .readable ? POLLIN : POLLOUT), revents: 0)
        guard poll(&event, 1, Int32(Duration.ample.components.seconds * 1000)) > 0 else {
            throw TCPClient.Failure(call: "poll", code: ETIMEDOUT)
        }
    }
}

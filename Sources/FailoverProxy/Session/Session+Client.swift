import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// Who the client is.
extension Session {
    /// Where the client is, or whom its balancer speaks for.
    var source: SocketAddress? { announcedSource ?? client.peerAddress }

    /// The client's address for a line of the log.
    var clientName: String { source?.description ?? "?" }

    /// The header that tells a backend who the client is.
    func proxyHeader(_ version: ProxyHeader.Version) -> [UInt8] {
        ProxyHeader.bytes(version, source: source, destination: client.localAddress)
    }
}

extension Descriptor {
    /// Where the peer is; getpeername(2). A peer on a Unix socket has no address of its own.
    var peerAddress: SocketAddress? { address(getpeername) }

    /// Where the peer has connected to; getsockname(2).
    var localAddress: SocketAddress? { address(getsockname) }

    private func address(
        _ call: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
    ) -> SocketAddress? {
        var bytes = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_un>.size)
        var length = socklen_t(bytes.count)
        let result = bytes.withUnsafeMutableBytes {
            call(raw, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard result == 0 else { return nil }
        return SocketAddress(kernelBytes: Array(bytes.prefix(Int(length))))
    }

    /// Takes a PROXY header off the stream, and nothing behind it.
    func receiveProxyHeader() -> ProxyHeader.Reading {
        var bytes = [UInt8](repeating: 0, count: ProxyHeader.longest)
        let count = recv(raw, &bytes, bytes.count, Int32(MSG_PEEK))
        guard count > 0 else { return count == 0 ? .garbage : .incomplete }
        let reading = ProxyHeader.read(Array(bytes.prefix(count)))
        if case .header(_, _, let length) = reading { recv(raw, &bytes, length, 0) }
        return reading
    }
}

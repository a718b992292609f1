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
    func proxyHeader(_ version: ProxyHeaderVersion) -> [UInt8] {
        version.bytes(source: source, destination: client.localAddress)
    }
}

extension Descriptor {
    /// Where the peer is; getpeername(2). A peer on a Unix socket has no address of its own.
    var peerAddress: SocketAddress? { .peer(of: raw) }

    /// Where the peer has connected to; getsockname(2).
    var localAddress: SocketAddress? { .local(of: raw) }

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

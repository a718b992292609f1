/// The location of a server, as the configuration names it.
public enum Endpoint: Hashable, Sendable {
    /// A host name or IP address with a port. A name is resolved again at every ping.
    case tcp(host: String, port: UInt16)
    /// The path of a Unix socket.
    case unix(path: String)
}

extension Endpoint: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// A resolved address: the bytes of a `sockaddr` in the kernel's format, and a readable text.
///
/// This module does not interpret the bytes. A check resolves the address, and the proxy connects to it.
public struct SocketAddress: Hashable, Sendable {
    /// The bytes of a `sockaddr_in`, `sockaddr_in6` or `sockaddr_un`.
    public let bytes: [UInt8]
    /// `192.0.2.1:5432`, `[2001:db8::1]:5432` or `unix:/path`.
    public let description: String

    public init(bytes: [UInt8], description: String) {
        self.bytes = bytes
        self.description = description
    }
}

extension SocketAddress: CustomStringConvertible {}

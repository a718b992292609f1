/// Where a server is to be found, as the configuration names it.
public enum Endpoint: Hashable, Sendable {
    /// A host name or IP literal with a port. Names are resolved again at every ping.
    case tcp(host: String, port: UInt16)
    /// A Unix socket.
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

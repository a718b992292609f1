package import FailoverCore

extension ProxyHeaderVersion {
    /// The first bytes of each binary header.
    package static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]

    /// The header for a session of the client at `source` that connected to the proxy at `destination`.
    package func bytes(source: SocketAddress?, destination: SocketAddress?) -> [UInt8] {
        let ends = source.flatMap { source in destination.flatMap { Ends(source, $0) } }
        return switch self {
        case .v1: Array((ends?.line ?? "PROXY UNKNOWN\r\n").utf8)
        case .v2: Self.signature + (ends?.binary ?? [0x21, 0x00, 0, 0])
        }
    }

    /// The header of a sender that connects on its own behalf.
    package var local: [UInt8] {
        switch self {
        case .v1: Array("PROXY UNKNOWN\r\n".utf8)
        case .v2: Self.signature + [0x20, 0x00, 0, 0]
        }
    }

    /// The header for data that this process itself sends on a connected socket.
    package func bytes(ofSocket socket: Int32) -> [UInt8] {
        guard let source = SocketAddress.local(of: socket), let destination = SocketAddress.peer(of: socket),
            Ends(source, destination) != nil
        else { return local }
        return bytes(source: source, destination: destination)
    }
}

/// Both ends of a client's connection. Both addresses are of the same family.
private struct Ends {
    let source: SocketAddress
    let destination: SocketAddress

    /// `nil` for a Unix socket, and if the families differ.
    init?(_ source: SocketAddress, _ destination: SocketAddress) {
        guard source.ip != nil, destination.ip != nil, source.family == destination.family else { return nil }
        self.source = source
        self.destination = destination
    }

    private var isV4: Bool { source.ip?.count == 4 }

    var line: String {
        func host(_ address: SocketAddress) -> Substring {
            let text = address.description
            let host = text.prefix(upTo: text.lastIndex(of: ":") ?? text.endIndex)
            return host.hasPrefix("[") ? host.dropFirst().dropLast() : host
        }
        let family = isV4 ? "TCP4" : "TCP6"
        return "PROXY \(family) \(host(source)) \(host(destination)) \(source.port ?? 0) \(destination.port ?? 0)\r\n"
    }

    var binary: [UInt8] {
        let addresses = (source.ip ?? []) + (destination.ip ?? [])
        let ports = [source.port ?? 0, destination.port ?? 0].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        return [0x21, isV4 ? 0x11 : 0x21, 0, UInt8(addresses.count + ports.count)] + addresses + ports
    }
}

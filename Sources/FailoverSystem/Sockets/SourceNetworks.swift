package import FailoverCore

/// Networks that clients may come from. Clients of a Unix socket are always admitted, because the file's permissions
/// decide.
public struct SourceNetworks: Hashable, Sendable {
    /// One network.
    public struct Network: Hashable, Sendable, CustomStringConvertible {
        private let address: [UInt8]
        private let prefixLength: Int

        /// - Parameters:
        ///   - address: 4 or 16 bytes.
        ///   - prefixLength: how many of its bits count; a larger number means all.
        public init(address: [UInt8], prefixLength: Int) {
            self.address = address
            self.prefixLength = min(max(0, prefixLength), address.count * 8)
        }

        public var description: String {
            guard let host = SocketAddress(ip: address, port: 0)?.description.dropLast(2) else { return "?" }
            return "\(host.hasPrefix("[") ? host.dropFirst().dropLast() : host)/\(prefixLength)"
        }

        func contains(_ ip: ArraySlice<UInt8>) -> Bool {
            guard ip.count == address.count else { return false }
            let (bytes, bits) = prefixLength.quotientAndRemainder(dividingBy: 8)
            guard address.prefix(bytes).elementsEqual(ip.prefix(bytes)) else { return false }
            let mask = UInt8(truncatingIfNeeded: 0xff00 >> bits)
            return bits == 0 || address[bytes] & mask == ip[ip.startIndex + bytes] & mask
        }
    }

    public let networks: [Network]

    public init(_ networks: [Network]) { self.networks = networks }

    /// Whether a client from this address is admitted.
    package func contains(_ address: SocketAddress) -> Bool {
        guard let ip = address.ip else { return true }
        return networks.contains { $0.contains(ip) }
    }
}

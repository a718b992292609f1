package import FailoverCore

/// Networks that clients may connect from. Clients of a Unix socket are always admitted, because the permissions of the
/// socket file decide about them.
public struct SourceNetworks: Hashable, Sendable {
    /// One network.
    public struct Network: Hashable, Sendable, CustomStringConvertible {
        private let address: [UInt8]
        private let prefixLength: Int

        /// - Parameters:
        ///   - address: 4 or 16 bytes.
        ///   - prefixLength: how many of the leading bits are compared. A number below 0 counts as 0, one that is too
        ///     large as all bits.
        public init(address: [UInt8], prefixLength: Int) {
            self.address = address
            self.prefixLength = min(max(0, prefixLength), address.count * 8)
        }

        /// For example `10.0.0.0/8`.
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

    /// A client is admitted if its address is in any of these networks.
    public let networks: [Network]

    public init(_ networks: [Network]) { self.networks = networks }

    /// Whether a client from this address is admitted.
    package func contains(_ address: SocketAddress) -> Bool {
        guard let ip = address.ip else { return true }
        return networks.contains { $0.contains(ip) }
    }
}

package import FailoverCore
import Glibc

extension SocketAddress {
    /// The address that a `sockaddr` of the kernel's means, with its text.
    package init(kernelBytes bytes: [UInt8]) {
        self.init(bytes: bytes, description: Self.text(of: bytes))
    }

    /// An IP address of 4 or 16 bytes with a port; `nil` for any other count.
    package init?(ip: some Collection<UInt8>, port: UInt16) {
        let portBytes = [UInt8(port >> 8), UInt8(port & 0xff)]
        switch ip.count {
        case 4:
            let family = withUnsafeBytes(of: sa_family_t(AF_INET)) { Array($0) }
            self.init(kernelBytes: family + portBytes + ip + [UInt8](repeating: 0, count: 8))
        case 16:
            let family = withUnsafeBytes(of: sa_family_t(AF_INET6)) { Array($0) }
            self.init(kernelBytes: family + portBytes + [0, 0, 0, 0] + ip + [0, 0, 0, 0])
        default: return nil
        }
    }

    /// The 4 or 16 bytes of an IP address; `nil` of a path.
    package var ip: ArraySlice<UInt8>? {
        switch family {
        case AF_INET: bytes.count >= 8 ? bytes[4..<8] : nil
        case AF_INET6: bytes.count >= 24 ? bytes[8..<24] : nil
        default: nil
        }
    }

    /// The port of an IP address; it stands third and fourth in either family.
    package var port: UInt16? { ip == nil ? nil : UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

    private static func text(of bytes: [UInt8]) -> String {
        guard bytes.count >= 2 else { return "unix:" }
        let address = SocketAddress(bytes: bytes, description: "")
        guard let ip = address.ip, let port = address.port else {
            return "unix:\(String(decoding: bytes.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self))"
        }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let done = ip.withUnsafeBytes { inet_ntop(address.family, $0.baseAddress, &text, socklen_t(text.count)) }
        guard done != nil else { return "?" }
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return address.family == AF_INET6 ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

import FailoverCore
import FailoverSystem

/// Reads the PROXY header, in which a load balancer passes its client's address; HAProxy's `doc/proxy-protocol.txt`.
enum ProxyHeader {
    /// The result of reading the beginning of a stream.
    enum Reading: Equatable {
        case incomplete
        case malformed
        /// A header and its length. The addresses are `nil` if the sender connects on its own behalf or does not know
        /// them.
        case header(source: SocketAddress?, destination: SocketAddress?, length: Int)
    }

    /// The longest valid header: 107 bytes of text, or 232 binary bytes and some extensions.
    static let longest = 4096
    private static let longestLine = 107
    private static let signature = ProxyHeaderVersion.signature

    /// Reads the beginning of a stream.
    static func read(_ bytes: [UInt8]) -> Reading {
        if bytes.starts(with: signature) { return readBinary(bytes) }
        if bytes.starts(with: Array("PROXY ".utf8)) { return readLine(bytes) }
        let isBeginning = signature.starts(with: bytes) || "PROXY ".utf8.starts(with: bytes)
        return isBeginning ? .incomplete : .malformed
    }

    private static func readLine(_ bytes: [UInt8]) -> Reading {
        guard let end = bytes.prefix(longestLine).firstIndex(of: 0x0a) else {
            return bytes.count < longestLine ? .incomplete : .malformed
        }
        guard end > 0, bytes[end - 1] == 0x0d else { return .malformed }
        let words = String(decoding: bytes[..<(end - 1)], as: UTF8.self).split(separator: " ")
        if words.count >= 2, words[1] == "UNKNOWN" { return .header(source: nil, destination: nil, length: end + 1) }
        guard words.count == 6, words[1] == "TCP4" || words[1] == "TCP6",
            let source = address(words[2], words[4]), let destination = address(words[3], words[5]),
            source.family == destination.family, (source.ip?.count == 4) == (words[1] == "TCP4")
        else { return .malformed }
        return .header(source: source, destination: destination, length: end + 1)
    }

    private static func address(_ host: Substring, _ port: Substring) -> SocketAddress? {
        guard let port = UInt16(port), let ip = IPText.bytes(of: String(host)) else { return nil }
        return SocketAddress(ip: ip, port: port)
    }

    private static func readBinary(_ bytes: [UInt8]) -> Reading {
        guard bytes.count >= 16 else { return .incomplete }
        let length = 16 + Int(bytes[14]) << 8 + Int(bytes[15])
        guard bytes[12] >> 4 == 2, bytes[12] & 0x0f <= 1, length <= longest else { return .malformed }
        guard bytes.count >= length else { return .incomplete }
        // LOCAL: the sender's own health check. Address families other than IP are not used.
        guard bytes[12] & 0x0f == 1 else { return .header(source: nil, destination: nil, length: length) }
        let size: Int
        switch bytes[13] >> 4 {
        case 1: size = 4
        case 2: size = 16
        default: return .header(source: nil, destination: nil, length: length)
        }
        guard length >= 16 + 2 * size + 4 else { return .malformed }
        func port(at index: Int) -> UInt16 { UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]) }
        let ports = 16 + 2 * size
        return .header(
            source: SocketAddress(ip: bytes[16..<(16 + size)], port: port(at: ports)),
            destination: SocketAddress(ip: bytes[(16 + size)..<ports], port: port(at: ports + 2)), length: length)
    }
}

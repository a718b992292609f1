import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// The addresses that getaddrinfo(3) finds for a host, each with port 0.
package struct AddressList: Sendable {
    /// The results for a name that does not exist or has no address of the family. Swift's Glibc module lacks
    /// `EAI_NODATA` (-5) and `EAI_ADDRFAMILY` (-9) of <netdb.h>.
    private static let thereAreNone: Set<Int32> = [EAI_NONAME, -5, -9]

    /// The bytes of `sockaddr_in` and `sockaddr_in6` in the resolver's order, without duplicates.
    private var addresses: [[UInt8]] = []

    /// Parses an IP address. This uses no name server and never blocks.
    init?(literal host: String) {
        guard lookUp(host, flags: AI_NUMERICHOST) == 0 else { return nil }
    }

    /// Parses several IP addresses. Other texts are skipped.
    package init(literals: [String]) {
        for literal in literals { _ = lookUp(literal, flags: AI_NUMERICHOST) }
    }

    /// Looks up a host name. This blocks until a name server answers or the resolver gives up.
    init(name host: String) throws(PingFailure) {
        if let failure = Self.failure(lookUp(host), host) { throw failure }
    }

    /// Looks up the addresses of one family, `AF_INET` or `AF_INET6`. This may block. A name without addresses is not a
    /// failure.
    init(name host: String, family: Int32) throws(PingFailure) {
        let error = lookUp(host, family: family)
        if Self.thereAreNone.contains(error) { return }
        if let failure = Self.failure(error, host) { throw failure }
    }

    /// The given addresses, without their ports.
    init(_ addresses: [SocketAddress]) {
        for address in addresses where address.port != nil {
            var bytes = address.bytes
            bytes[2...3] = [0, 0]
            add(bytes)
        }
    }

    /// The families of the addresses, `AF_INET` and `AF_INET6`.
    var families: Set<Int32> { Set(addresses.map { SocketAddress(bytes: $0, description: "").family }) }

    /// The addresses in the list that are of one family.
    func only(_ family: Int32) -> AddressList {
        var list = self
        list.addresses.removeAll { SocketAddress(bytes: $0, description: "").family != family }
        return list
    }

    /// Appends other addresses.
    mutating func append(_ other: AddressList) {
        for bytes in other.addresses { add(bytes) }
    }

    private mutating func add(_ bytes: [UInt8]) {
        if !addresses.contains(bytes) { addresses.append(bytes) }
    }

    /// The failure that a result of a look-up means; `nil` for success.
    private static func failure(_ error: Int32, _ host: String) -> PingFailure? {
        switch error {
        case 0: return nil
        case EAI_SYSTEM:
            let system = SystemError.last()
            return PingFailure(
                system.reason(at: .lookup) == .local ? .local : .unresolved, "\(host): \(system.message)")
        case EAI_MEMORY: return PingFailure(.local, "\(host): \(text(error))")
        default: return PingFailure(.unresolved, "\(host): \(text(error))")
        }
    }

    /// The addresses with a port.
    func withPort(_ port: UInt16) -> [SocketAddress] {
        addresses.map { bytes in
            var bytes = bytes
            // sin_port and sin6_port have the same offset and are in network order.
            bytes[2] = UInt8(port >> 8)
            bytes[3] = UInt8(port & 0xff)
            return SocketAddress(kernelBytes: bytes)
        }
    }

    /// Adds the addresses of a host, and returns the result of getaddrinfo(3).
    private mutating func lookUp(_ host: String, flags: Int32 = 0, family: Int32 = AF_UNSPEC) -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_family = family
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let error = getaddrinfo(host, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        var next = list
        while let info = next?.pointee {
            if let address = info.ai_addr, info.ai_family == AF_INET || info.ai_family == AF_INET6 {
                add(Array(UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen))))
            }
            next = info.ai_next
        }
        return error == 0 && addresses.isEmpty ? EAI_NONAME : error
    }

    private static func text(_ error: Int32) -> String { String(cString: gai_strerror(error)) }
}

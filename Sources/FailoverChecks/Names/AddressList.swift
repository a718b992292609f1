import FailoverCore
import FailoverSystem
import Glibc

/// The addresses that getaddrinfo(3) finds for a host, without ports: port 0 stands in each.
struct AddressList: Sendable {
    /// Bytes of `sockaddr_in` and `sockaddr_in6`, in the order of the resolver, none twice.
    private var addresses: [[UInt8]] = []

    /// Looks up an IP literal; never asks anybody, never blocks.
    init?(literal host: String) {
        guard Self.lookUp(host, flags: AI_NUMERICHOST, into: &addresses) == 0 else { return nil }
    }

    /// The addresses of several IP literals; what is none is left out.
    init(literals: [String]) {
        for literal in literals { _ = Self.lookUp(literal, flags: AI_NUMERICHOST, into: &addresses) }
    }

    /// Looks up a name. May block for as long as the name servers are silent.
    init(name host: String) throws(PingFailure) {
        let error = Self.lookUp(host, flags: 0, into: &addresses)
        switch error {
        case 0: return
        case EAI_SYSTEM:
            let system = SystemError.last()
            throw PingFailure(system.reason(at: .lookup) == .local ? .local : .unresolved, "\(host): \(system.words)")
        case EAI_MEMORY: throw PingFailure(.local, "\(host): \(Self.text(error))")
        default: throw PingFailure(.unresolved, "\(host): \(Self.text(error))")
        }
    }

    /// The addresses with a port.
    func withPort(_ port: UInt16) -> [SocketAddress] {
        addresses.map { bytes in
            var bytes = bytes
            // sin_port and sin6_port stand at the same place, in network order.
            bytes[2] = UInt8(port >> 8)
            bytes[3] = UInt8(port & 0xff)
            return SocketAddress(kernelBytes: bytes)
        }
    }

    private static func lookUp(_ host: String, flags: Int32, into addresses: inout [[UInt8]]) -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let error = getaddrinfo(host, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        var next = list
        while let info = next?.pointee {
            if let address = info.ai_addr, info.ai_family == AF_INET || info.ai_family == AF_INET6 {
                let bytes = Array(UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen)))
                if !addresses.contains(bytes) { addresses.append(bytes) }
            }
            next = info.ai_next
        }
        return error == 0 && addresses.isEmpty ? EAI_NONAME : error
    }

    private static func text(_ error: Int32) -> String { String(cString: gai_strerror(error)) }
}

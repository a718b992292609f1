package import FailoverCore
import FailoverSystem

/// What a server answers when it is asked which of the proxy's connections are at a transaction boundary.
package enum BoundaryAnswer: Sendable, Equatable {
    /// Those of the sources whose sessions are at a boundary. A session that the server does not list is not among
    /// them.
    case attested(Set<SocketAddress>)
    /// The monitoring user has no permission to see it, or the server does not record it. `remedy` is one line: the
    /// statements to run, or what to set.
    case hidden(remedy: String)
    /// The server does not list the asking connection under that connection's own address: address translation or a
    /// pooler is between. So it may list other sessions under the addresses of the sources.
    case blind
    /// The question failed. One line, without secrets.
    case failed(String)

    /// Whether the next question on the same connection would have the same answer.
    var isLasting: Bool {
        switch self {
        case .hidden, .blind: true
        case .attested, .failed: false
        }
    }
}

/// A login to a server at which the question is asked any number of times.
protocol BoundarySession: ~Copyable {
    /// Connects and logs in.
    init(_ server: DatabaseServer, _ attempt: PingAttempt) throws(PingFailure)

    /// Asks once. After a failure the session cannot be used again.
    mutating func answer(
        for sources: [SocketAddress], _ attempt: PingAttempt
    ) throws(PingFailure) -> BoundaryAnswer
}

/// A session, as a server lists it.
struct BoundaryRow: Equatable {
    /// Where a session comes from.
    enum Source: Hashable {
        /// 4 or 16 bytes. An IPv4 address that is mapped to IPv6 has 4 bytes.
        case address([UInt8], port: UInt16)
        /// MySQL and MariaDB look up the names of addresses, except with `skip_name_resolve`.
        case name(String, port: UInt16)
    }

    /// `nil` if the server tells no source that can be understood. So does a session over a Unix socket.
    var source: Source?
    /// Whether the server lists it without a transaction, a statement or a lock.
    var isAtBoundary: Bool
    /// Whether it is the asking connection.
    var isOwn = false
}

extension BoundaryRow.Source {
    /// The source of an address of this machine; `nil` for a Unix socket.
    init?(_ address: SocketAddress) {
        guard let ip = address.ip, let port = address.port else { return nil }
        self = .address(Self.unmapped(Array(ip)), port: port)
    }

    /// - Parameters:
    ///   - host: an IP address as text.
    ///   - port: a decimal number. PostgreSQL tells -1 for a Unix socket.
    init?(host: String, port: String) {
        guard let port = Self.port(port), let ip = Self.ip(host) else { return nil }
        self = .address(ip, port: port)
    }

    /// - Parameter text: `192.0.2.1:5000`, `2001:db8::1:5000` or `name:5000`, as the process lists of MySQL and MariaDB
    ///   have it. The last colon separates the port, because IPv6 addresses have no brackets there.
    init?(hostAndPort text: String) {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")),
            let port = Self.port(String(text[text.utf8.index(after: colon)...]))
        else { return nil }
        let host = String(text[..<colon])
        if let ip = Self.ip(host) {
            self = .address(ip, port: port)
        } else if Self.isName(host) {
            self = .name(host, port: port)
        } else {
            return nil
        }
    }

    private static func port(_ text: String) -> UInt16? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy(digits.contains) else { return nil }
        return UInt16(text).flatMap { $0 == 0 ? nil : $0 }
    }

    private static func ip(_ text: String) -> [UInt8]? {
        guard text.utf8.count <= longestAddress, !text.utf8.contains(0) else { return nil }
        return IPText.bytes(of: text).map(unmapped)
    }

    private static func isName(_ text: String) -> Bool {
        (1...longestName).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                digits.contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || [UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_")].contains(byte)
            }
    }

    /// IPv4 addresses mapped to IPv6 (`::ffff:192.0.2.1`) as IPv4.
    private static func unmapped(_ ip: [UInt8]) -> [UInt8] {
        ip.count == 16 && ip.starts(with: mapped) ? Array(ip.suffix(4)) : ip
    }

    private static let mapped: [UInt8] = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    private static let longestAddress = 45
    private static let longestName = 255
}

/// Decides from the sessions that a server lists which of the proxy's connections are at a boundary.
///
/// The asking connection is the control: the server must list it, once, under its own address and port. Each source
/// needs exactly one row. A missing row attests nothing, and of two rows one may be another session's.
struct BoundaryRows {
    let rows: [BoundaryRow]

    /// - Parameters:
    ///   - sources: the proxy's own addresses of the connections.
    ///   - own: the asking connection's address on this machine.
    ///   - isOwnName: whether a host name has the IP address of `own`. Asked for at most one name.
    func answer(
        for sources: [SocketAddress], own: SocketAddress, isOwnName: (String) -> Bool = { _ in false }
    ) -> BoundaryAnswer {
        let control = rows.filter(\.isOwn)
        guard control.count == 1, let listed = control[0].source,
            case .address(let ownIP, let ownPort)? = BoundaryRow.Source(own)
        else { return .blind }
        var ownName: String?
        switch listed {
        case .address: if listed != .address(ownIP, port: ownPort) { return .blind }
        case .name(let name, let port):
            guard port == ownPort, isOwnName(name) else { return .blind }
            ownName = name
        }
        var found: [BoundaryRow.Source: [BoundaryRow]] = [:]
        for row in rows {
            if let source = row.source { found[source, default: []].append(row) }
        }
        let attested = sources.filter { source in
            guard case .address(let ip, let port)? = BoundaryRow.Source(source) else { return false }
            var listed = found[.address(ip, port: port)] ?? []
            if let ownName, ip == ownIP { listed += found[.name(ownName, port: port)] ?? [] }
            return listed.count == 1 && listed[0].isAtBoundary && !listed[0].isOwn
        }
        return .attested(Set(attested))
    }

    /// The ports of the sources, each once, in parts that one query may contain. Empty if no source has a port.
    static func ports(of sources: [SocketAddress]) -> [[UInt16]] {
        let ports = Set(sources.compactMap(\.port)).sorted()
        return stride(from: 0, to: ports.count, by: mostPorts).map { start in
            Array(ports[start..<min(start + mostPorts, ports.count)])
        }
    }

    /// The maximum number of ports in one query: at most 6000 bytes of it, and a row or a few for each.
    static let mostPorts = 1000
}

package import FailoverCore
import FailoverSystem
import Glibc

extension Endpoint {
    /// Reads an address to listen on: `host:port`, `[v6]:port`, `*:port` (every IPv4 address) or `unix:/path`.
    ///
    /// With port 0 the kernel chooses the port.
    package init(listenText text: String) throws(InvalidText) {
        if let path = try SocketPath(prefixedText: text) {
            self = .unix(path: path.text)
            return
        }
        guard let colon = text.lastIndex(of: ":") else {
            throw InvalidText("expected host:port, [v6]:port or unix:/path, found \(text.quotedForMessage)")
        }
        let hostText = String(text[..<colon])
        let portText = text[text.index(after: colon)...]
        guard portText.allSatisfy({ $0.isASCII && $0.isNumber }), let port = UInt16(portText) else {
            throw InvalidText("expected a port from 0 to 65535 after the last colon, found \(text.quotedForMessage)")
        }
        if hostText.isEmpty {
            throw InvalidText("the host is empty; \(Self.everyAddress) listens on every address")
        }
        if hostText == "*" {
            self = .tcp(host: Self.everyAddress, port: port)
            return
        }
        let bracketed = hostText.hasPrefix("[") && hostText.hasSuffix("]")
        if hostText.contains(":") && !bracketed {
            throw InvalidText("an IPv6 address needs brackets: [v6]:port, found \(text.quotedForMessage)")
        }
        let host = try HostName(bracketed ? String(hostText.dropFirst().dropLast()) : hostText)
        if bracketed && !host.text.contains(":") {
            throw InvalidText("brackets are for IPv6 addresses, found \(text.quotedForMessage)")
        }
        self = .tcp(host: host.text, port: port)
    }

    /// Reads a server's address: `host:port`, `[v6]:port` or `unix:/path`.
    init(serverText text: String) throws(InvalidText) {
        try self.init(listenText: text)
        if case .tcp(_, 0) = self {
            throw InvalidText("expected a port from 1 to 65535, found \(text.quotedForMessage)")
        }
        if text.hasPrefix("*:") { throw InvalidText("expected a host, found \(text.quotedForMessage)") }
    }

    /// The address at which a client on this machine can connect. A listener on every address is reachable at the
    /// loopback address.
    package var reachable: Endpoint {
        switch self {
        case .tcp("0.0.0.0", let port): .tcp(host: "127.0.0.1", port: port)
        case .tcp("::", let port): .tcp(host: "::1", port: port)
        default: self
        }
    }

    private static let everyAddress = "0.0.0.0"

    /// Whether two listeners cannot have these addresses at the same time, as far as the text shows.
    func collides(with other: Endpoint) -> Bool {
        switch (self, other) {
        case (.unix(let path), .unix(let otherPath)): path == otherPath
        case (.tcp(_, 0), .tcp): false
        case (.tcp(let host, let port), .tcp(let otherHost, let otherPort)):
            port == otherPort && HostName.overlap(host, otherHost)
        default: false
        }
    }
}

/// The path of a Unix socket that fits into a `sockaddr_un`.
struct SocketPath {
    let text: String

    /// Reads `unix:/path`; `nil` if the text has no such prefix.
    init?(prefixedText: String) throws(InvalidText) {
        let prefix = "unix:"
        guard prefixedText.hasPrefix(prefix) else { return nil }
        let path = String(prefixedText.dropFirst(prefix.count))
        guard path.hasPrefix("/"), path.count > 1 else {
            throw InvalidText("a Unix socket has an absolute path: unix:/path")
        }
        let limit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
        guard path.utf8.count <= limit else {
            throw InvalidText("the path of a Unix socket has at most \(limit) bytes, this one has \(path.utf8.count)")
        }
        text = path
    }
}

extension SourceNetworks.Network {
    /// `10.0.0.0/8`, `2001:db8::/32`, or one address.
    init(text: String) throws(InvalidText) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPText.bytes(of: String(first)) else {
            throw InvalidText("expected a network such as 10.0.0.0/8 or ::1/128, found \(text.quotedForMessage)")
        }
        let most = address.count * 8
        guard parts.count == 2 else {
            self.init(address: address, prefixLength: most)
            return
        }
        guard let length = Int(parts[1]), (0...most).contains(length), parts[1].allSatisfy(\.isNumber) else {
            throw InvalidText("expected a prefix length from 0 to \(most), found \(String(parts[1]).quotedForMessage)")
        }
        self.init(address: address, prefixLength: length)
    }
}

import Glibc

/// A text that has the form of a host name or an IP address.
struct HostName {
    /// The name. An IPv6 address has no brackets.
    let text: String

    /// Messages do not repeat the text, because it may be a URL that contains a password.
    init(_ text: String) throws(InvalidText) {
        if text.isEmpty { throw InvalidText("the host is empty") }
        if text.contains(":") {
            guard Self.isIPv6(text) else {
                throw InvalidText("not a host name or an IP address; a port goes into `port`, a socket is unix:/path")
            }
        } else if text.allSatisfy({ $0 == "." || ($0.isASCII && $0.isNumber) }) {
            var address = in_addr()
            guard inet_pton(AF_INET, text, &address) == 1 else {
                throw InvalidText("not an IPv4 address, which has four numbers from 0 to 255")
            }
        } else {
            try Self.checkName(text)
        }
        self.text = text
    }

    private static func isIPv6(_ text: String) -> Bool {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        var address = in6_addr()
        guard let literal = parts.first, inet_pton(AF_INET6, String(literal), &address) == 1 else { return false }
        guard parts.count == 2, let zone = parts.last else { return true }
        return !zone.isEmpty && zone.utf8.count < Int(IFNAMSIZ) && zone.allSatisfy { $0.isASCII && !$0.isWhitespace }
    }

    private static func checkName(_ text: String) throws(InvalidText) {
        let fits = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard fits else { throw InvalidText("a host name has only letters, digits, `-`, `_` and `.`") }
        let name = text.hasSuffix(".") ? text.dropLast() : text[...]
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.allSatisfy({ (1...63).contains($0.utf8.count) }) else {
            throw InvalidText("a host name has at most 253 characters, and from 1 to 63 between its dots")
        }
    }

    /// Whether listeners on these two hosts would use the same address.
    static func overlap(_ a: String, _ b: String) -> Bool {
        let (a, b) = (canonical(a), canonical(b))
        if a == b { return true }
        let (aIsIPv6, bIsIPv6) = (a.contains(":"), b.contains(":"))
        return aIsIPv6 == bIsIPv6 && [a, b].contains(aIsIPv6 ? "::" : "0.0.0.0")
    }

    /// Whether a connection to `host` certainly arrives at a listener of this machine at `listener`.
    static func connects(_ host: String, toListenerAt listener: String) -> Bool {
        let (host, listener) = (canonical(host), canonical(listener))
        if host == listener { return true }
        return (host == "127.0.0.1" && listener == "0.0.0.0") || (host == "::1" && listener == "::")
    }

    private static func canonical(_ host: String) -> String { host.lowercased() == "localhost" ? "127.0.0.1" : host }
}

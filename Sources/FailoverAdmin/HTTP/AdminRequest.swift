import NIOHTTP1

/// One request, read to its end.
struct AdminRequest: Sendable {
    let method: HTTPMethod
    /// The path's parts, percent-decoded: `/api/v1/status` is `["api", "v1", "status"]`.
    let path: [String]
    let query: [String: String]
    let headers: HTTPHeaders
    let body: [UInt8]
    /// Came through a Unix socket, whose permissions have let the client in.
    let isThroughUnixSocket: Bool

    /// The most that a request's body may have.
    static let largestBody = 64 << 10

    init(_ head: HTTPRequestHead, body: [UInt8] = [], isThroughUnixSocket: Bool = false) {
        method = head.method
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = (parts.first ?? "").split(separator: "/").map { Self.decoded(String($0)) }
        query = Self.query(parts.count > 1 ? String(parts[1]) : "")
        headers = head.headers
        self.body = body
        self.isThroughUnixSocket = isThroughUnixSocket
    }

    /// Whether its method changes nothing.
    var isReading: Bool { method == .GET || method == .HEAD }

    /// Whether it asks no more than whether this process is well.
    var isProbe: Bool { path == ["livez"] || path == ["readyz"] }

    /// Whether everybody gets an answer.
    var isPublic: Bool { isProbe || path.isEmpty }

    private static func query(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            values[decoded(parts[0])] = parts.count > 1 ? decoded(parts[1]) : ""
        }
        return values
    }

    /// RFC 3986 §2.1; what is no valid escape stands for itself.
    private static func decoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let first = rest.popFirst() {
            let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
            if first == UInt8(ascii: "%"), digits.count == 2,
                let value = UInt8(exactly: digits[0] << 4 | digits[1])
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(first)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

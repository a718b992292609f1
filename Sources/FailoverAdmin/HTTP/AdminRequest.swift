import FoundationEssentials
import NIOHTTP1

/// One complete request.
struct AdminRequest: Sendable {
    let method: HTTPMethod
    /// The path's parts, percent-decoded: `/api/v1/status` is `["api", "v1", "status"]`.
    let path: [String]
    let query: [String: String]
    let headers: HTTPHeaders
    let body: [UInt8]
    /// Whether the request came through a Unix socket. The permissions of the socket file already admitted the client.
    let isThroughUnixSocket: Bool

    /// The maximum size of a request's body, in bytes.
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

    /// Whether the request's method changes nothing.
    var isReading: Bool { method == .GET || method == .HEAD }

    /// Whether the request only checks the health of this process.
    var isProbe: Bool { path == ["livez"] || path == ["readyz"] }

    /// Whether every client gets an answer, with or without a token.
    var isPublic: Bool { isProbe || path.isEmpty }

    private static func query(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            values[decoded(parts[0])] = parts.count > 1 ? decoded(parts[1]) : ""
        }
        return values
    }

    /// RFC 3986 §2.1. An invalid escape stays as it is.
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

/// The response to a request.
struct AdminResponse: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// Pieces that are sent until the client disconnects or the stream ends.
        case stream(AsyncStream<String>)
    }

    var status: HTTPResponseStatus
    var contentType: String
    var body: Body
    var headers: [(name: String, value: String)] = []

    /// A document as JSON.
    static func json(_ document: some JSONValue, status: HTTPResponseStatus = .ok) -> AdminResponse {
        AdminResponse(
            status: status, contentType: "application/json", body: .bytes(JSONWriter.bytes(document)))
    }

    static func text(_ text: String, status: HTTPResponseStatus = .ok) -> AdminResponse {
        AdminResponse(status: status, contentType: "text/plain; charset=utf-8", body: .bytes(Array(text.utf8)))
    }

    /// An error with its reason.
    static func error(_ status: HTTPResponseStatus, _ message: String) -> AdminResponse {
        .json(["error": message], status: status)
    }
}

/// JSON of requests and responses, with names in snake case. ``JSONWriter`` writes the responses.
enum AdminJSON {
    static func text(_ body: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return (try? encoder.encode(body)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    static func decode<Document: Decodable>(_ type: Document.Type, from body: [UInt8]) -> Document? {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try? decoder.decode(type, from: Data(body))
    }
}

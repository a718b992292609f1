import FoundationEssentials
import NIOHTTP1

/// What a request is answered with.
struct AdminResponse: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        /// Pieces that come until the client leaves or the stream ends.
        case stream(AsyncStream<String>)
    }

    var status: HTTPResponseStatus
    var contentType: String
    var body: Body
    var headers: [(name: String, value: String)] = []

    /// A document as JSON.
    static func json(_ document: some Encodable, status: HTTPResponseStatus = .ok) -> AdminResponse {
        do {
            return AdminResponse(
                status: status, contentType: "application/json", body: .bytes(try AdminJSON.bytes(document)))
        } catch {
            return .error(.internalServerError, "the answer cannot be encoded")
        }
    }

    static func text(_ text: String, status: HTTPResponseStatus = .ok) -> AdminResponse {
        AdminResponse(status: status, contentType: "text/plain; charset=utf-8", body: .bytes(Array(text.utf8)))
    }

    /// An error that says why.
    static func error(_ status: HTTPResponseStatus, _ words: String) -> AdminResponse {
        .json(["error": words], status: status)
    }
}

/// How documents become JSON: names in snake case, one line, keys in the same order each time.
enum AdminJSON {
    static func bytes(_ document: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(document))
    }

    static func text(_ document: some Encodable) -> String {
        (try? bytes(document)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    static func decode<Document: Decodable>(_ type: Document.Type, from body: [UInt8]) -> Document? {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try? decoder.decode(type, from: Data(body))
    }
}

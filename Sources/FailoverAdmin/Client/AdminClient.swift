import CCurl
package import FailoverCore
import Glibc

/// Sends requests to a running `failover` over its admin API. Blocks.
package struct AdminClient: Sendable {
    private let endpoint: Endpoint
    private let token: Secret?

    /// The time limit of a request, in milliseconds. A ping takes up to 10 s of it.
    private static let timeoutMilliseconds = 30_000

    package init(endpoint: Endpoint, token: Secret?) {
        self.endpoint = endpoint
        self.token = token
    }

    /// The body of the response to a GET.
    ///
    /// - Parameter path: the path without the leading slash, such as `api/v1/status`.
    package func get(_ path: String) throws(OperationError) -> [UInt8] { try ask(path, body: nil) }

    /// The whole status.
    package func status() throws(OperationError) -> StatusDocument { try document("api/v1/status") }

    /// The latest events, newest first.
    package func events(_ count: Int) throws(OperationError) -> [AdminEvent] {
        let answer: [String: [AdminEvent]] = try document("api/v1/events?limit=\(count)")
        return answer["events"] ?? []
    }

    /// The first sessions of a route.
    ///
    /// - Parameter route: percent-encoded.
    package func sessions(ofRoute route: String) throws(OperationError) -> [SessionDocument] {
        let answer: Page = try document("api/v1/sessions?limit=200&route=\(route)")
        return answer.sessions
    }

    private struct Page: Decodable { let sessions: [SessionDocument] }

    private func document<Document: Decodable>(_ path: String) throws(OperationError) -> Document {
        guard let document = AdminJSON.decode(Document.self, from: try get(path)) else {
            throw OperationError(.administration, "\(endpoint): the response is not from failover's admin API")
        }
        return document
    }

    /// The `message` of the response to an action.
    ///
    /// - Parameter path: percent-encoded.
    package func act(_ path: String, _ body: some Encodable) throws(OperationError) -> String {
        let bytes = try ask(path, body: AdminJSON.text(body))
        guard let answer = AdminJSON.decode(Answer.self, from: bytes) else {
            throw OperationError(.administration, "\(endpoint): the response is not from failover's admin API")
        }
        return answer.message
    }

    private struct Answer: Decodable { let message: String }
    private struct Refusal: Decodable { let error: String }

    /// An element of the event stream.
    package enum News {
        /// The whole status, with its changes applied.
        case status(StatusDocument)
        case event(AdminEvent)
    }

    /// Follows the event stream until `take` returns false. Blocks until then.
    ///
    /// - Throws: also if the stream ends.
    package func follow(_ take: @escaping (News) -> Bool) throws(OperationError) {
        var (parser, reader) = (ServerSentEvents(), NewsReader())
        var isDone = false
        let status = try perform("api/v1/events/stream", body: nil, milliseconds: 0) { bytes in
            isDone = !parser.add(bytes).compactMap { reader.news(name: $0.name, data: $0.data) }.allSatisfy(take)
            return !isDone
        }
        guard !isDone else { return }
        throw OperationError(.administration, status == 200 ? "\(endpoint): the stream ended" : "HTTP status \(status)")
    }

    private func ask(_ path: String, body: String?) throws(OperationError) -> [UInt8] {
        var answer: [UInt8] = []
        let status = try perform(path, body: body, milliseconds: Self.timeoutMilliseconds) { bytes in
            answer += bytes
            return answer.count < 64 << 20
        }
        guard (200..<300).contains(status) else {
            let message = AdminJSON.decode(Refusal.self, from: answer)?.error ?? "HTTP status \(status)"
            throw OperationError(.administration, message)
        }
        return answer
    }

    /// - Returns: the HTTP status of the response.
    private func perform(
        _ path: String, body: String?, milliseconds: Int, _ take: @escaping (UnsafeRawBufferPointer) -> Bool
    ) throws(OperationError) -> Int {
        let receiver = Receiver(take)
        let result = Self.perform(
            url: url(path), socket: socketPath,
            authorization: token.map { "Authorization: Bearer \($0.reveal())" },
            body: body, milliseconds: milliseconds, receiver)
        // `take` may end the request.
        guard result.code == CURLE_OK || (result.code == CURLE_WRITE_ERROR && receiver.hasEnded) else {
            throw OperationError(.administration, "\(endpoint): \(String(cString: curl_easy_strerror(result.code)))")
        }
        return result.status
    }

    private var socketPath: String? { if case .unix(let path) = endpoint { path } else { nil } }

    private func url(_ path: String) -> String {
        switch endpoint {
        case .unix: "http://localhost/\(path)"
        case .tcp: "http://\(endpoint)/\(path)"
        }
    }

    /// Receives the bytes of the response.
    private final class Receiver {
        let take: (UnsafeRawBufferPointer) -> Bool
        var hasEnded = false
        init(_ take: @escaping (UnsafeRawBufferPointer) -> Bool) { self.take = take }
    }

    private static func perform(
        url: String, socket: String?, authorization: String?, body: String?, milliseconds: Int, _ receiver: Receiver
    ) -> failover_http_result {
        let texts = [url, socket, authorization, body].map { $0.map { strdup($0) } ?? nil }
        defer { for text in texts { free(text) } }
        var request = failover_http_request()
        request.url = UnsafePointer(texts[0])
        request.unix_socket = UnsafePointer(texts[1])
        request.authorization = UnsafePointer(texts[2])
        request.body = UnsafePointer(texts[3])
        request.length = body?.utf8.count ?? 0
        request.milliseconds = milliseconds
        request.direct = 1
        request.context = Unmanaged.passUnretained(receiver).toOpaque()
        request.take = { bytes, count, context in
            guard let context else { return 0 }
            let receiver = Unmanaged<Receiver>.fromOpaque(context).takeUnretainedValue()
            receiver.hasEnded = !receiver.take(UnsafeRawBufferPointer(start: bytes, count: count))
            return receiver.hasEnded ? 0 : 1
        }
        return withExtendedLifetime(receiver) { failover_http_perform(&request) }
    }
}

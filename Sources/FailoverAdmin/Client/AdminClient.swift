import CCurl
package import FailoverCore
import Glibc

/// Asks a running `failover` over its admin API. Blocks.
package struct AdminClient: Sendable {
    private let endpoint: Endpoint
    private let token: Secret?

    /// What a program that only asks waits for an answer, in milliseconds: a ping has 10 s of its own.
    private static let patience = 30_000

    package init(endpoint: Endpoint, token: Secret?) {
        self.endpoint = endpoint
        self.token = token
    }

    /// The body of the answer to a GET.
    ///
    /// - Parameter path: below the root, as `api/v1/status`.
    package func get(_ path: String) throws(AdminClientError) -> [UInt8] { try ask(path, body: nil) }

    /// The whole status.
    package func status() throws(AdminClientError) -> StatusDocument { try document("api/v1/status") }

    /// The latest events, newest first.
    package func events(_ count: Int) throws(AdminClientError) -> [AdminEvent] {
        let answer: [String: [AdminEvent]] = try document("api/v1/events?limit=\(count)")
        return answer["events"] ?? []
    }

    /// The first sessions of a route.
    ///
    /// - Parameter route: percent-encoded.
    package func sessions(ofRoute route: String) throws(AdminClientError) -> [SessionDocument] {
        let answer: Page = try document("api/v1/sessions?limit=200&route=\(route)")
        return answer.sessions
    }

    private struct Page: Decodable { let sessions: [SessionDocument] }

    /// A document of the stream.
    package static func decode<Document: Decodable>(_ type: Document.Type, _ data: String) -> Document? {
        AdminJSON.decode(type, from: Array(data.utf8))
    }

    private func document<Document: Decodable>(_ path: String) throws(AdminClientError) -> Document {
        guard let document = AdminJSON.decode(Document.self, from: try get(path)) else {
            throw AdminClientError(words: "\(endpoint): its answer is not that of failover's API")
        }
        return document
    }

    /// The `message` of the answer to an action.
    ///
    /// - Parameter path: percent-encoded.
    package func act(_ path: String, _ body: some Encodable) throws(AdminClientError) -> String {
        let bytes = try ask(path, body: AdminJSON.text(body))
        guard let answer = AdminJSON.decode(Answer.self, from: bytes) else {
            throw AdminClientError(words: "\(endpoint): its answer is not that of failover's API")
        }
        return answer.message
    }

    private struct Answer: Decodable { let message: String }
    private struct Refusal: Decodable { let error: String }

    /// Follows the event stream until `take` returns false.
    ///
    /// - Parameter take: gets each event's name and data.
    /// - Throws: also when the stream ends.
    package func follow(_ take: @escaping (_ name: String, _ data: String) -> Bool) throws(AdminClientError) {
        var parser = ServerSentEvents()
        var isDone = false
        let status = try perform("api/v1/events/stream", body: nil, milliseconds: 0) { bytes in
            isDone = !parser.add(bytes).allSatisfy { take($0.name, $0.data) }
            return !isDone
        }
        guard !isDone else { return }
        throw AdminClientError(words: status == 200 ? "\(endpoint): the stream has ended" : "HTTP status \(status)")
    }

    private func ask(_ path: String, body: String?) throws(AdminClientError) -> [UInt8] {
        var answer: [UInt8] = []
        let status = try perform(path, body: body, milliseconds: Self.patience) { bytes in
            answer += bytes
            return answer.count < 64 << 20
        }
        guard (200..<300).contains(status) else {
            let words = AdminJSON.decode(Refusal.self, from: answer)?.error ?? "HTTP status \(status)"
            throw AdminClientError(words: words)
        }
        return answer
    }

    /// - Returns: the answer's status.
    private func perform(
        _ path: String, body: String?, milliseconds: Int, _ take: @escaping (UnsafeRawBufferPointer) -> Bool
    ) throws(AdminClientError) -> Int {
        let receiver = Receiver(take)
        let result = Self.perform(
            url: url(path), socket: socketPath,
            authorization: token.map { "Authorization: Bearer \($0.reveal())" },
            body: body, milliseconds: milliseconds, receiver)
        // Whoever takes the answer may end the request.
        guard result.code == CURLE_OK || (result.code == CURLE_WRITE_ERROR && receiver.hasEnded) else {
            throw AdminClientError(words: "\(endpoint): \(String(cString: curl_easy_strerror(result.code)))")
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

    /// Takes what arrives.
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

/// Why there is no answer, or that it is a refusal.
package struct AdminClientError: Error, CustomStringConvertible {
    package let words: String

    package init(words: String) { self.words = words }

    package var description: String { words }
}

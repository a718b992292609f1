import COpenSSL
package import FailoverCore
import Foundation
import NIOHTTP1

/// The admin plane at one listener: the API, the status page and the metrics, over HTTP.
package struct AdminServer: Sendable {
    private let server: HTTPServer
    private let access: @Sendable () -> AccessPolicy

    /// Opens the listener. Requests are answered only after ``run(_:)`` starts.
    ///
    /// - Parameters:
    ///   - access: which clients may do what, called for each request.
    ///   - idleTime: how long a connection may go without a write before it is closed.
    ///   - firstRequestLimit: how long a client may take for the head of its first request.
    /// - Throws: ``OperationError``.
    package init(
        listener: Endpoint, access: @autoclosure @escaping @Sendable () -> AccessPolicy,
        idleTime: Duration = .seconds(30), firstRequestLimit: Duration = .seconds(5)
    ) async throws {
        server = try await HTTPServer(listener, idleTime: idleTime, firstRequestLimit: firstRequestLimit)
        self.access = access
    }

    /// The address of the listener, with the port that the system chose.
    package var address: String { server.address }

    /// Answers requests until the task is cancelled.
    package func run(_ backend: any AdminBackend) async {
        let stream = EventStream(backend)
        let telling = Task { await stream.run() }
        await server.run { await AdminRouter(backend: backend, stream: stream, access: access()).respond($0) }
        telling.cancel()
        await telling.value
    }

    /// Closes the listener of a server that will not run.
    package func close() async { await server.close() }
}

/// `GET /`: one file of HTML, CSS and script. A policy restricts it to showing the API of this server.
enum StatusPage {
    static let response = AdminResponse(
        status: .ok, contentType: "text/html; charset=utf-8", body: .bytes(PackageResources.index_html),
        headers: [
            ("Content-Security-Policy", policy), ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
        ])

    /// Content Security Policy Level 3: the page's own style and script by their hashes, and nothing else.
    private static let policy: String = {
        let text = String(decoding: PackageResources.index_html, as: UTF8.self)
        let (style, script) = (hash(ofContentsOf: "style", in: text), hash(ofContentsOf: "script", in: text))
        return """
            default-src 'none'; style-src '\(style)'; script-src '\(script)'; connect-src 'self'; base-uri 'none'; \
            form-action 'none'; frame-ancestors 'none'
            """
    }()

    /// `sha256-…` of the content of the only element with this name.
    private static func hash(ofContentsOf element: String, in text: String) -> String {
        guard let start = text.firstRange(of: "<\(element)>"),
            let end = text[start.upperBound...].firstRange(of: "</\(element)>")
        else { return "none" }
        let bytes = Array(text[start.upperBound..<end.lowerBound].utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
        return "sha256-\(Data(digest).base64EncodedString())"
    }
}

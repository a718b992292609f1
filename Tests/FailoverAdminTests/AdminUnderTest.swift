import FailoverCore
import FailoverTesting

@testable import FailoverAdmin

/// A running admin plane over a ``FakeBackend``.
final class AdminUnderTest: Sendable {
    let backend = FakeBackend()
    let server: AdminServer
    private let running: Task<Void, Never>

    /// - Parameter idleTime: longer than any test takes on a slow machine, except in tests of this limit. The limit
    ///   of the first request is the same.
    init(
        _ listen: Endpoint = .tcp(host: "127.0.0.1", port: 0), token: String? = nil, idleTime: Duration = .seconds(3600)
    ) async throws {
        let server = try await AdminServer(
            listener: listen, access: AccessPolicy(token: token.map { Secret($0) }), idleTime: idleTime,
            firstRequestLimit: idleTime)
        self.server = server
        running = Task { [backend] in await server.run(backend) }
    }

    func stop() async {
        running.cancel()
        await running.value
    }

    var port: Int { Int(server.address.split(separator: ":").last ?? "") ?? 0 }

    /// The response to a request's bytes, until the server closes.
    func answer(_ request: String) async throws -> String {
        let client = try await TCPClient.connect(port: port)
        try? await client.send(request)
        return String(decoding: (try? await client.receive(10 << 20)) ?? [], as: UTF8.self)
    }

    func get(_ path: String, method: String = "GET", headers: String = "", body: String = "") async throws -> String {
        let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
        return try await answer(
            "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(headers)\(length)\r\n\(body)")
    }

    func post(_ path: String, _ body: String = "{}") async throws -> String {
        try await get(path, method: "POST", headers: "Content-Type: application/json\r\n", body: body)
    }

    /// The body after the headers.
    static func body(_ answer: String) -> String {
        answer.firstRange(of: "\r\n\r\n").map { String(answer[$0.upperBound...]) } ?? ""
    }
}

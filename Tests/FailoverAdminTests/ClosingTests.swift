import FailoverCore
import FailoverTesting
import NIOHTTP1
import Testing

@testable import FailoverAdmin

@Suite("An admin plane that closes", .timeLimit(.minutes(5)))
struct ClosingTests {
    /// Responses that are sent when the test says so, even if their tasks are cancelled.
    private final class Gate: Sendable {
        private let opening: Task<Void, Never>
        private let opener: AsyncStream<Void>.Continuation

        init() {
            let (stream, opener) = AsyncStream.makeStream(of: Void.self)
            self.opener = opener
            opening = Task { for await _ in stream {} }
        }

        func open() { opener.finish() }
        func wait() async { await opening.value }
    }

    /// The listener accepts connections until the last response is sent, but the server no longer takes them over.
    @Test func clientsThatComeMeanwhileEndNothing() async throws {
        let server = try await HTTPServer(
            .tcp(host: "127.0.0.1", port: 0), idleTime: .seconds(30), firstRequestLimit: .seconds(30))
        let port = try #require(Int(server.address.split(separator: ":").last ?? ""))
        let gate = Gate()
        let asked = AsyncStream.makeStream(of: Void.self)
        let running = Task {
            await server.run { _ in
                asked.continuation.yield()
                await gate.wait()
                return .error(.notFound, "no")
            }
        }
        let first = try await TCPClient.connect(port: port)
        try await first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for await _ in asked.stream { break }
        running.cancel()
        var late: [TCPClient] = []
        for _ in 0..<60 { late.append(try await TCPClient.connect(port: port)) }
        gate.open()
        await running.value
        for client in late { #expect(try await client.isLetGo()) }
    }

    @Test func oneThatIsNotToRunCloses() async throws {
        let server = try await HTTPServer(
            .tcp(host: "127.0.0.1", port: 0), idleTime: .seconds(30), firstRequestLimit: .seconds(30))
        let port = try #require(Int(server.address.split(separator: ":").last ?? ""))
        let client = try await TCPClient.connect(port: port)
        await server.close()
        #expect(try await client.isLetGo())
    }
}

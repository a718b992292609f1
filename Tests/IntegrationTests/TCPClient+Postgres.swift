import FailoverTesting
import Testing

extension TCPClient {
    /// The SSLRequest message, which PostgreSQL answers with one byte.
    static let sslRequest: [UInt8] = [0, 0, 0, 8, 4, 210, 22, 47]

    /// A client that a PostgreSQL server has answered, so that no client waits in the listener's queue any more.
    static func answeredByPostgres(port: Int) async throws -> TCPClient {
        let client = try await connect(port: port)
        try await client.send(sslRequest)
        #expect(try await client.receive(1).count == 1)
        return client
    }
}

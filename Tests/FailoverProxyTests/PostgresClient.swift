import FailoverTesting

@testable import FailoverProxy

/// A clear-text PostgreSQL client, as far as tests need one.
struct PostgresClient {
    let connection: TCPClient

    /// Connects and logs in.
    init(_ proxy: ProxyUnderTest) async throws { try await self.init(proxy.connect()) }

    /// Logs in.
    init(_ connection: TCPClient) async throws {
        self.connection = connection
        try await connection.send(PostgresWire.startup())
        _ = try await readyForQuery()
    }

    /// On a connection that may be logged in already.
    init(connected connection: TCPClient) { self.connection = connection }

    /// Runs a query and returns the transaction status after it: `I`, `T` or `E`; `nil` if the session has ended.
    @discardableResult
    func run(_ query: String) async throws -> String? {
        try await connection.send(PostgresWire.query(query))
        return try await readyForQuery()
    }

    /// The next message; `nil` at the end of the stream.
    func message() async throws -> (type: Character, body: [UInt8])? {
        let head = try await connection.receive(5)
        guard head.count == 5 else { return nil }
        let length = head[1...].reduce(0) { $0 << 8 | Int($1) } - 4
        let body = try await connection.receive(length)
        return body.count == length ? (Character(Unicode.Scalar(head[0])), body) : nil
    }

    /// The next error of the server or the proxy; `nil` if the stream ends without one.
    func error() async throws -> PostgresErrorResponse? {
        while let (type, body) = try await message() {
            if type == "E" { return PostgresErrorResponse(body: body) }
        }
        return nil
    }

    /// Reads up to the next transaction status.
    func readyForQuery() async throws -> String? {
        while let (type, body) = try await message() {
            if type == "Z" { return String(decoding: body, as: UTF8.self) }
        }
        return nil
    }
}

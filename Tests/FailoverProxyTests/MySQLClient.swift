import FailoverTesting

@testable import FailoverProxy

/// A clear-text MySQL client, as far as tests need one.
struct MySQLClient {
    struct Packet: Equatable {
        let sequence: UInt8
        let body: [UInt8]
    }

    let connection: TCPClient

    /// Connects and logs in.
    init(_ proxy: ProxyUnderTest) async throws {
        connection = try await proxy.connect()
        _ = try await packet()
        try await connection.send(Self.login)
        _ = try await packet()
    }

    /// On a connection that may be logged in already.
    init(connected connection: TCPClient) { self.connection = connection }

    /// Connects, begins TLS and sends a login.
    init(requestingAt proxy: ProxyUnderTest) async throws {
        connection = try await proxy.connect()
        _ = try await packet()
        try await connection.send(Self.tlsRequest)
        try await connection.beginTLS(TestTLS.shared.client)
        try await connection.send(Self.tlsLogin)
    }

    /// Connects, begins TLS and logs in.
    init(secured proxy: ProxyUnderTest) async throws {
        try await self.init(requestingAt: proxy)
        _ = try await packet()
    }

    /// Protocol 4.1 and MySQL's bits, no TLS, no compression.
    static let login = FaultyServerConnection.mysqlPacket(1, beginning + user)
    /// The same with TLS: the request for it, and the login that follows within it.
    static let tlsRequest = FaultyServerConnection.mysqlPacket(1, tlsBeginning)
    static let tlsLogin = FaultyServerConnection.mysqlPacket(2, tlsBeginning + user)

    private static let beginning: [UInt8] = [0x01, 0x02, 0, 0] + rest
    private static let tlsBeginning: [UInt8] = [0x01, 0x0a, 0, 0] + rest
    private static let rest: [UInt8] = [0, 0, 0, 1, 45] + [UInt8](repeating: 0, count: 23)
    private static let user: [UInt8] = Array("app\u{0}".utf8) + [0]

    func send(query: String) async throws { try await send([3] + Array(query.utf8), sequence: 0) }

    /// Runs a query and returns the status flags after it; `nil` if the session has ended.
    func run(_ query: String) async throws -> UInt16? {
        try await send(query: query)
        guard let body = try await packet()?.body, body.count >= 5 else { return nil }
        return UInt16(body[3]) | UInt16(body[4]) << 8
    }

    /// The next packet; `nil` at the end of the stream.
    func packet() async throws -> Packet? {
        let head = try await connection.receive(4)
        guard head.count == 4 else { return nil }
        let length = Int(head[0]) | Int(head[1]) << 8 | Int(head[2]) << 16
        return Packet(sequence: head[3], body: try await connection.receive(length))
    }

    private func send(_ body: [UInt8], sequence: UInt8) async throws {
        try await connection.send(FaultyServerConnection.mysqlPacket(sequence, body))
    }
}

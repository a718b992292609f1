import FailoverCore
import FailoverTLS
import FailoverTesting
import Glibc
import Testing

@testable import FailoverProxy

/// Whether the proxy's own connections to servers are within TLS.
enum ServerSide: CaseIterable {
    case inClear, inTLS

    /// How the proxy encrypts them.
    var encryption: ServerTLS? {
        self == .inTLS ? ServerTLS(context: TestTLS.shared.client, isRequired: true) : nil
    }

    /// A backend that plays the script after it has accepted a login to PostgreSQL.
    func postgres(_ play: @escaping @Sendable (FaultyServerConnection) -> Void) -> EchoBackend {
        serve { client in
            guard client.receivePostgresStartup() else { return }
            client.sendPostgresWelcome()
            play(client)
        }
    }

    /// A backend that plays the script, within TLS if it is to be so.
    func serve(_ play: @escaping @Sendable (FaultyServerConnection) -> Void) -> EchoBackend {
        EchoBackend { client in
            switch self {
            case .inClear: play(client)
            case .inTLS: if let secured = client.acceptPostgresTLS(TestTLS.shared.server) { play(secured) }
            }
        }
    }

    /// A backend that accepts a login to PostgreSQL and sends back what it receives, up to the end of the stream.
    var echo: EchoBackend {
        postgres { client in
            while case let bytes = client.receive(), !bytes.isEmpty { client.send(bytes) }
            client.endSending()
        }
    }
}

extension ProxyUnderTest {
    /// A proxy at which the clients' TLS ends, with one event loop.
    static func terminating(
        _ ports: [Int], engine: DatabaseServer.Engine = .postgres, requires: Bool = false, maxHandshakes: Int = 128,
        longestHandshake: Duration = .ample, context: TLSContext = TestTLS.shared.server, serverTLS: ServerTLS? = nil,
        session: SessionSettings = SessionSettings(), maxBufferMemory: Int? = 256 << 20
    ) throws -> ProxyUnderTest {
        try ProxyUnderTest(
            backends: ports.map { [.loopback(port: $0)] }, engine: engine,
            clientTLS: ClientTLS(
                context: context, isRequired: requires, maxHandshakes: maxHandshakes,
                longestHandshake: longestHandshake),
            serverTLS: ports.map { _ in serverTLS }, session: session, workers: 1, maxBufferMemory: maxBufferMemory)
    }

    /// Connects and begins TLS, as a client of PostgreSQL does.
    func connectSecured(
        _ context: TLSContext = TestTLS.shared.client, isDirect: Bool = false, from lastByte: UInt8? = nil
    ) async throws -> TCPClient {
        let client = try await connect(from: lastByte)
        try await client.secure(context, isDirect: isDirect)
        return client
    }

    /// A client of PostgreSQL that has logged in within TLS.
    func logIn(_ context: TLSContext = TestTLS.shared.client) async throws -> PostgresClient {
        try await PostgresClient(connectSecured(context))
    }

    /// The statistics of the route.
    var traffic: TrafficReport.OfRoute { get async { await server.trafficReport().routes[0] } }

    /// The log's lines that contain the text.
    func lines(with text: String) -> [String] { log.lines.filter { $0.contains(text) } }
}

extension TCPClient {
    /// Begins TLS, as a client of PostgreSQL does.
    func secure(_ context: TLSContext = TestTLS.shared.client, isDirect: Bool = false) async throws {
        if !isDirect {
            try await send(PostgresWire.sslRequest)
            guard try await receiveText(1) == "S" else { throw Failure(call: "S", code: 0) }
        }
        try await beginTLS(context)
    }

    /// Whether the peer ends the connection, in whatever way.
    func isEnded() async -> Bool {
        do {
            _ = try await drain()
            return true
        } catch {
            // Otherwise the limit of the test's socket has passed.
            return (error as? Failure)?.code != EAGAIN
        }
    }
}

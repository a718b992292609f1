import FailoverCore
import FailoverSystem
import FailoverTLS
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Bytes of TLS handshakes", .timeLimit(.minutes(5)), .explained)
struct HandshakeBytesTests {
    private struct Unconcerned: ProxyObserver {
        func sessionArrived(route: Int) {}
        func backendIsDoubtful(alias: Int) {}
        func backendServed(alias: Int) {}
        func backendFailed(_ failure: BackendFailure, route: Int) {}
        func boundariesWanted(_ question: BoundaryQuestion) {}
    }

    /// A proxy with one loop that ends its clients' TLS, one handshake at a time, and has no server.
    private func proxy() throws -> ProxyServer {
        let scratch = try Scratch()
        let identity = TLSIdentity(certificate: scratch.path("server.pem"), key: scratch.path("server.key"))
        try CertificateScript.run("alone server /CN=localhost", in: scratch.path("."))
        let context = try TLSContext.server(TLSServerSettings(identity: identity, speaksPostgres: true))
        let route = ProxyRoute(
            name: "slave", engine: .postgres, listen: [.loopback(port: 0)], session: SessionSettings().patient,
            clientTLS: ClientTLS(context: context, isRequired: false, maxHandshakes: 1))
        let table = RouteTable(
            aliases: [AliasState(name: "a", endpoint: .tcp(host: "127.0.0.1", port: 1), addresses: [])],
            routes: [Route(name: "slave", aliases: [0], preferredCount: 1)])
        let server = try ProxyServer(
            configuration: ProxyConfiguration(routes: [route], aliasLimits: [nil], workers: 1), table: table,
            observer: Unconcerned(), log: CapturedLog().logger)
        try server.start()
        return server
    }

    /// A ClientHello in two records, longer than what the proxy reads at once. The length of its session identifier is
    /// invalid.
    private static var longHello: [UInt8] {
        let (first, second) = (16_384, 3000)
        let body = first + second - 4
        let start: [UInt8] =
            [1, 0, UInt8(body >> 8), UInt8(body & 0xff), 3, 3] + [UInt8](repeating: 7, count: 32) + [255]
        let hello = start + [UInt8](repeating: 0, count: first + second - start.count)
        return [0x16, 3, 1, UInt8(first >> 8), UInt8(first & 0xff)] + hello.prefix(first)
            + [0x16, 3, 1, UInt8(second >> 8), UInt8(second & 0xff)] + hello.suffix(second)
    }

    /// They would not be the session's first message, and the session would end without an alert.
    @Test func areNotReadAsThoseOfTheSessionBeforeTheirTurn() async throws {
        let proxy = try proxy()
        let port = proxy.addresses[0][0].localPort
        let holder = try await TCPClient.connect(port: port)
        try await holder.send(PostgresWire.sslRequest)
        #expect(try await holder.receiveText(1) == "S")

        let client = try await TCPClient.connect(port: port)
        try await client.send(Self.longHello)
        // The loop has read these bytes once a later client has its answer.
        let later = try await TCPClient.connect(port: port)
        try await later.send(PostgresWire.gssRequest)
        #expect(try await later.receiveText(1) == "N")

        holder.endSending()
        let (alert, decodeError) = (UInt8(0x15), UInt8(50))
        let answer = try await client.receive(7)
        #expect(answer.first == alert && answer.last == decodeError)
        await proxy.stop(grace: .zero)
    }
}

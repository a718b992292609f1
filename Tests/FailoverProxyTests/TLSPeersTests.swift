import Dispatch
import FailoverCore
import FailoverSystem
import FailoverTLS
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Peers with which TLS does not succeed", .timeLimit(.minutes(5)), .explained)
struct TLSPeersTests {
    private static let contexts = TestTLS.shared

    // MARK: Servers

    /// Servers that a session within TLS cannot use.
    enum Misfit: CaseIterable {
        case stranger, withoutTLS, garbage, bytesBehindTheAnswer, closing, silentInTheHandshake

        var server: EchoBackend {
            EchoBackend { client in
                guard self != .stranger else { return client.servePostgres(in: contexts.stranger) }
                client.receive(atLeast: 8)
                switch self {
                case .stranger, .closing: return
                case .withoutTLS: client.send(Array("N".utf8))
                case .garbage: client.send(Array("SHTTP/1.1 400 Bad Request\r\n\r\n".utf8))
                case .bytesBehindTheAnswer: client.send(Array("S".utf8) + PostgresWire.welcome)
                case .silentInTheHandshake: client.send(Array("S".utf8))
                }
                client.receiveToEnd()
            }
        }
    }

    @Test(arguments: Misfit.allCases)
    func aServerThatCannotBeTrustedIsPassedOver(misfit: Misfit) async throws {
        let (first, second) = (misfit.server, ServerSide.inTLS.echo)
        let limit = misfit == .silentInTheHandshake ? Duration.milliseconds(500) : .ample
        let isServed = try await patiently(limit, until: { $0 }) { limit in
            let proxy = try ProxyUnderTest.terminating(
                [first.port, second.port], serverTLS: ServerSide.inTLS.encryption,
                session: SessionSettings(greetingTimeout: limit))
            guard let client = try? await proxy.logIn().connection else { return false }
            try await client.send("hello")
            #expect(try await client.receiveText(5) == "hello")
            let traffic = await proxy.traffic
            #expect(traffic.served == [1: 1])
            #expect(traffic.retried == 1)
            switch misfit {
            case .stranger: #expect(!proxy.lines(with: "a0: TLS: certificate not accepted").isEmpty)
            case .withoutTLS: #expect(!proxy.lines(with: "a0: the server offers no TLS").isEmpty)
            case .garbage, .bytesBehindTheAnswer, .closing, .silentInTheHandshake: break
            }
            await proxy.server.stop(grace: .zero)
            return true
        }
        #expect(isServed)
    }

    @Test func aServerWithoutTLSServesInClearIfItMay() async throws {
        let server = EchoBackend { client in
            guard client.receivePostgresStartup() else { return }
            client.sendPostgresWelcome()
            client.receiveToEnd()
        }
        let proxy = try ProxyUnderTest.terminating(
            [server.port], serverTLS: ServerTLS(context: Self.contexts.client, isRequired: false))
        _ = try await proxy.logIn()
        #expect(await proxy.traffic.served == [0: 1])
        await proxy.server.stop(grace: .zero)
    }

    /// The tickets of TLS 1.3 and the answer to the login arrive at once.
    @Test func sessionTicketsOfAServerDoNotHideItsAnswer() async throws {
        for _ in 0..<3 {
            let server = EchoBackend { client in
                client.holdsSegments(true)
                guard let secured = client.acceptPostgresTLS(Self.contexts.ticketing) else { return }
                secured.sendPostgresWelcome()
                client.holdsSegments(false)
                secured.receiveToEnd()
            }
            let proxy = try ProxyUnderTest.terminating([server.port], serverTLS: ServerSide.inTLS.encryption)
            _ = try await proxy.logIn()
            await proxy.server.stop(grace: .zero)
        }
    }

    // MARK: Servers of MySQL

    private func error(_ packet: MySQLClient.Packet?) -> Int? {
        guard let body = packet?.body, body.count >= 3, body[0] == 0xff else { return nil }
        return Int(body[1]) | Int(body[2]) << 8
    }

    @Test func aMySQLClientIsToldThatItsServerCannotBeTrusted() async throws {
        let server = EchoBackend { $0.serveMySQL(in: Self.contexts.stranger) }
        let proxy = try ProxyUnderTest.terminating(
            [server.port], engine: .mysql, serverTLS: ServerSide.inTLS.encryption)
        let client = try await MySQLClient(requestingAt: proxy)
        let packet = try await client.packet()
        #expect(error(packet) == 1105)
        #expect(packet?.sequence == 3)
        #expect(try await client.packet() == nil)
        #expect(client.connection.hasClosure == true)
        await proxy.server.stop(grace: .zero)
    }

    @Test(arguments: [true, false])
    func aMySQLClientInClearIsRefusedIfOneSideRequiresTLS(isClients: Bool) async throws {
        let logins = Heard()
        let server = EchoBackend { client in
            client.send(FaultyServerConnection.mysqlGreeting(offersTLS: true))
            logins.add(client.receiveMySQLPacket().map { _ in 1 } ?? 0)
            client.sendMySQLError(1045, "Access denied", sequence: 2, sqlState: "28000")
            client.receiveToEnd()
        }
        let proxy = try ProxyUnderTest.terminating(
            [server.port], engine: .mysql, requires: isClients,
            serverTLS: ServerTLS(context: Self.contexts.client, isRequired: !isClients))
        let client = MySQLClient(connected: try await proxy.connect())
        _ = try await client.packet()
        try await client.connection.send(MySQLClient.login)
        let packet = try await client.packet()
        #expect(error(packet) == 3159)
        #expect(packet?.sequence == 2)
        // The server has got a login that it refuses, not the client's.
        #expect(await eventually { logins.numbers == [1] })
        await proxy.server.stop(grace: .zero)
    }

    /// The greeting is followed by bytes that could be mistaken for decrypted ones.
    @Test func bytesOfAMySQLServerBeforeTLSEndTheSession() async throws {
        let server = EchoBackend { client in
            client.send(FaultyServerConnection.mysqlGreeting(offersTLS: true))
            guard client.receiveMySQLPacket()?.count == 32 else { return }
            client.sendMySQLOK(sequence: 3)
            client.receiveToEnd()
        }
        let proxy = try ProxyUnderTest.terminating(
            [server.port], engine: .mysql, serverTLS: ServerSide.inTLS.encryption)
        let client = try await MySQLClient(requestingAt: proxy)
        #expect(error(try await client.packet()) == 1105)
        await proxy.server.stop(grace: .zero)
    }

    @Test func bytesOfAMySQLServerThatIsNotItsTurnEndTheSession() async throws {
        let mayTalk = DispatchSemaphore(value: 0)
        let server = EchoBackend { client in
            client.send(FaultyServerConnection.mysqlGreeting(offersTLS: true))
            mayTalk.wait()
            client.sendMySQLOK(sequence: 1)
            client.receiveToEnd()
        }
        let proxy = try ProxyUnderTest.terminating(
            [server.port], engine: .mysql, serverTLS: ServerSide.inTLS.encryption)
        let client = MySQLClient(connected: try await proxy.connect())
        _ = try await client.packet()
        try await client.connection.send(MySQLClient.tlsRequest)
        try await client.connection.beginTLS(Self.contexts.client)
        mayTalk.signal()
        #expect(try await client.packet() == nil)
        await proxy.server.stop(grace: .zero)
    }

    // MARK: Clients

    @Test(arguments: [Array("S".utf8), []])
    func garbageInsteadOfAClientHelloIsCountedAndLogged(answer: [UInt8]) async throws {
        let server = ServerSide.inClear.echo
        let proxy = try ProxyUnderTest.terminating([server.port], maxHandshakes: 1)
        let begin = ContinuousClock.now
        let attempts = 20
        for _ in 0..<attempts {
            let client = try await proxy.connect()
            if !answer.isEmpty {
                try await client.send(PostgresWire.sslRequest)
                #expect(try await client.receive(1) == answer)
            }
            try await client.send([0x16] + Array("ET / HTTP/1.1\r\n\r\n".utf8))
            #expect(await client.isEnded())
        }
        #expect(await eventually { await proxy.traffic.failedHandshakes == attempts })
        #expect(await proxy.traffic.handshakes == 0)
        #expect(server.connections == 0)
        let lines = proxy.lines(with: "slave: no TLS with 127.0.0.1:")
        #expect(!lines.isEmpty)
        // At most one line a second.
        #expect(lines.count <= 1 + Int((ContinuousClock.now - begin).components.seconds) + 1)
        _ = try await proxy.logIn()
        await proxy.server.stop(grace: .zero)
    }

    @Test func directTLSWithoutTheProtocolsNameIsRefused() async throws {
        let server = ServerSide.inClear.echo
        let proxy = try ProxyUnderTest.terminating([server.port])
        let client = try await proxy.connectSecured(Self.contexts.unnamed, isDirect: true)
        #expect(await client.isEnded())
        #expect(await proxy.traffic.failedHandshakes == 1)
        #expect(!proxy.lines(with: "the client does not name its protocol").isEmpty)
        // After a request, the name may be missing.
        _ = try await proxy.logIn(Self.contexts.unnamed)
        await proxy.server.stop(grace: .zero)
    }

    @Test func clientsMayHaveToShowACertificate() async throws {
        let server = ServerSide.inClear.echo
        let proxy = try ProxyUnderTest.terminating([server.port], context: Self.contexts.demanding)
        let stranger = try? await proxy.logIn()
        #expect(stranger == nil)
        #expect(await proxy.traffic.failedHandshakes == 1)
        _ = try await proxy.logIn(Self.contexts.known)
        #expect(!proxy.lines(with: "has the certificate /CN=app").isEmpty)
        await proxy.server.stop(grace: .zero)
    }

    @Test func renegotiationIsRefused() async throws {
        let server = ServerSide.inClear.postgres { $0.receiveToEnd() }
        let proxy = try ProxyUnderTest.terminating([server.port])
        let script = """
            exec 3< <(echo R; exec sleep 100)
            sleeper=$!
            openssl s_client -connect 127.0.0.1:\(proxy.port) -starttls postgres -tls1_2 <&3 2>&1
            kill $sleeper
            """
        let result = try await onThread {
            try ChildProcess.run(Command(["/bin/bash", "-c", script]), until: Deadline(.ample))
        }
        let output = String(decoding: result.output, as: UTF8.self)
        #expect(output.contains("RENEGOTIATING"))
        #expect(output.contains("no renegotiation"))
        await proxy.server.stop(grace: .zero)
    }
}

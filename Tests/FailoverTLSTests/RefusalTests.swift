import COpenSSL
import FailoverCore
import FailoverSystem
import FailoverTLS
import Foundation
import Testing

/// What a client asks for and does not get.
@Suite struct RefusalTests {
    @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION])
    func oldVersionsAreRefused(version: Int32) throws {
        let sockets = Sockets()
        let server = try TLSChannel(.server(), descriptor: sockets.near)
        let client = RawPeer(descriptor: sockets.far, number: version)
        let failure = client.shakeHands(with: server)
        #expect(failure?.message == "unsupported protocol")
        #expect(client.error == "tlsv1 alert protocol version")
    }

    @Test func theLeastVersionCanBeRaised() throws {
        let sockets = Sockets()
        let server = try TLSChannel(.server(minVersion: .v13), descriptor: sockets.near)
        #expect(RawPeer(descriptor: sockets.far, highest: .v12).shakeHands(with: server) != nil)
        let pair = try Pair.ready(server: .server(minVersion: .v13))
        #expect(pair.server.version == "TLSv1.3")
    }

    @Test func renegotiationIsRefused() throws {
        let sockets = Sockets()
        let server = try TLSChannel(.server(), descriptor: sockets.near)
        let client = RawPeer(descriptor: sockets.far, highest: .v12)
        #expect(client.shakeHands(with: server) == nil)
        #expect(server.version == "TLSv1.2")
        SSL_renegotiate(client.session)
        client.handshake()
        #expect(server.heard().last == .wouldBlock(until: .readable))
        #expect(!client.handshake())
        #expect(client.error == "no renegotiation")
    }

    @Test func aClientThatGoesOnAfterTheRefusalIsServed() throws {
        let sockets = Sockets()
        let server = try TLSChannel(.server(), descriptor: sockets.near)
        let client = RawPeer(descriptor: sockets.far, highest: .v12)
        client.shakeHands(with: server)
        client.write("hello")
        #expect(server.text() == "hello")
        server.say("you too")
        #expect(client.read() == "you too")
    }

    @Test func earlyDataIsRefused() throws {
        let context = try TLSContext.server(tickets: TicketKeys())
        var sockets = Sockets()
        let first = try TLSChannel(context, descriptor: sockets.near)
        let client = RawPeer(descriptor: sockets.far)
        client.shakeHands(with: first)
        #expect(client.read() == nil)
        let ticket = try #require(SSL_get1_session(client.session))
        defer { SSL_SESSION_free(ticket) }
        #expect(SSL_SESSION_get_max_early_data(ticket) == 0)

        // A client that sends it all the same.
        SSL_SESSION_set_max_early_data(ticket, 1000)
        sockets = Sockets()
        let second = try TLSChannel(context, descriptor: sockets.near)
        let liar = RawPeer(descriptor: sockets.far, resumes: ticket)
        var written = 0
        #expect(SSL_write_early_data(liar.session, "early", 5, &written) == 1)
        #expect(liar.shakeHands(with: second) == nil)
        #expect(SSL_get_early_data_status(liar.session) == SSL_EARLY_DATA_REJECTED)
        #expect(second.isResumed)
        liar.write("late")
        #expect(second.text() == "late")
    }

    @Test func aClientWithoutTheProtocolIsSeen() throws {
        let sockets = Sockets()
        let server = try TLSChannel(.server(), descriptor: sockets.near)
        #expect(RawPeer(descriptor: sockets.far).shakeHands(with: server) == nil)
        #expect(!server.speaksPostgres)
    }

    @Test(arguments: [
        (["postgresql"], true), (["h2", "postgresql"], true), (["h2", "http/1.1"], false), (["postgresq"], false),
    ])
    func aClientOfAnotherProtocolIsRefused(protocols: [String], isServed: Bool) throws {
        let sockets = Sockets()
        let server = try TLSChannel(.server(), descriptor: sockets.near)
        let client = RawPeer(descriptor: sockets.far, protocols: protocols)
        let failure = client.shakeHands(with: server)
        #expect((failure == nil) == isServed)
        #expect(server.speaksPostgres == isServed)
        if !isServed { #expect(client.error == "tlsv1 alert no application protocol") }
    }
}

/// Tickets, by which a client continues an earlier session.
@Suite struct ResumptionTests {
    private func ticket(of server: TLSContext, _ client: TLSContext) throws -> TLSResumption? {
        let pair = try Pair.ready(server: server, client: client)
        pair.server.say("x")
        _ = pair.client.heard()
        return pair.client.resumption
    }

    private func resumes(_ kept: TLSResumption?, at server: TLSContext, _ client: TLSContext) throws -> Bool {
        let kept = try #require(kept)
        let pair = try Pair.ready(server: server, client: client, resumption: kept)
        #expect(pair.server.isResumed == pair.client.isResumed)
        return pair.server.isResumed
    }

    @Test func aTicketIsAcceptedAfterATakeover() throws {
        let client = try TLSContext.client()
        let keys = try TicketKeys()
        let kept = try ticket(of: .server(tickets: keys), client)
        let successor = try TicketKeys(keys.exported.compactMap { TicketKeys.Key(bytes: $0.bytes) })
        #expect(try resumes(kept, at: .server(tickets: successor), client))
        #expect(try !resumes(kept, at: .server(tickets: TicketKeys()), client))
    }

    @Test func aTicketSurvivesOneRotationOfTheKeys() throws {
        let client = try TLSContext.client()
        let clock = Lock(ContinuousClock.now)
        let keys = try TicketKeys { clock.withLock { $0 } }
        let server = try TLSContext.server(tickets: keys)
        // A ticket of TLS 1.3 is used once.
        let kept = try (0..<2).map { _ in try ticket(of: server, client) }
        #expect(keys.exported.count == 1)
        clock.withLock { $0 += .seconds(TicketKeys.lifetimeSeconds) }
        // The next new ticket has a new key.
        #expect(try ticket(of: server, client) != nil)
        #expect(keys.exported.count == 2)
        #expect(try resumes(kept[0], at: server, client))
        clock.withLock { $0 += .seconds(TicketKeys.lifetimeSeconds) }
        #expect(try ticket(of: server, client) != nil)
        #expect(try !resumes(kept[1], at: server, client))
        #expect(keys.exported.count == 2)
    }

    @Test func aTicketIsForOneRouteAndItsAuthorities() throws {
        let (client, keys) = (try TLSContext.client(identity: "client"), try TicketKeys())
        let kept = try ticket(of: .server(clientAuthorities: "ca.pem", tickets: keys), client)
        #expect(try resumes(kept, at: .server(clientAuthorities: "ca.pem", tickets: keys), client))
        #expect(try !resumes(kept, at: .server(tickets: keys, route: "another"), client))
        #expect(try !resumes(kept, at: .server(tickets: keys), client))
    }

    @Test func theSubjectOfAResumedClientIsKnown() throws {
        let (client, keys) = (try TLSContext.client(identity: "client"), try TicketKeys())
        let server = try TLSContext.server(clientAuthorities: "ca.pem", tickets: keys)
        let pair = try Pair.ready(server: server, client: client, resumption: try ticket(of: server, client))
        #expect(pair.server.isResumed)
        #expect(pair.server.peerCertificate?.subject == "/CN=app/O=tests")
    }

    @Test func withoutKeysThereAreNoTickets() throws {
        let client = try TLSContext.client()
        #expect(try ticket(of: .server(), client) == nil)
    }

    @Test func aTicketOfAnotherContextIsNotUsed() throws {
        let server = try TLSContext.server(tickets: TicketKeys())
        let kept = try ticket(of: server, try TLSContext.client(.none))
        #expect(try !resumes(kept, at: server, try TLSContext.client()))
    }

    @Test func keysAreNotShown() throws {
        let key = try #require(TicketKeys().exported.first)
        #expect("\(key)" == "(hidden)" && String(reflecting: key) == "(hidden)")
        #expect(TicketKeys.Key(bytes: [1, 2, 3]) == nil)
    }

    @Test func ticketsOf12AreResumedToo() throws {
        let clock = Lock(ContinuousClock.now)
        let keys = try TicketKeys { clock.withLock { $0 } }
        let server = try TLSContext.server(tickets: keys)
        var sockets = Sockets()
        let first = RawPeer(descriptor: sockets.far, highest: .v12)
        first.shakeHands(with: try TLSChannel(server, descriptor: sockets.near))
        let session = try #require(SSL_get1_session(first.session))
        defer { SSL_SESSION_free(session) }
        clock.withLock { $0 += .seconds(TicketKeys.lifetimeSeconds) }
        #expect(try ticket(of: server, TLSContext.client()) != nil)
        #expect(keys.exported.count == 2)
        sockets = Sockets()
        let channel = try TLSChannel(server, descriptor: sockets.near)
        RawPeer(descriptor: sockets.far, highest: .v12, resumes: session).shakeHands(with: channel)
        #expect(channel.isResumed)
    }
}

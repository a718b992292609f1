import FailoverConfiguration
import FailoverCore
import FailoverProxy
import FailoverSystem
import FailoverTLS
import FailoverTesting
import Foundation
import Testing

@testable import Failover

/// Certificates of a test, and a configuration that names them.
struct CertificateFiles {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try make("server")
    }

    var certificate: String { scratch.path("server.pem") }
    var key: String { scratch.path("server.key") }

    /// Makes a certificate and its key.
    func make(_ name: String) throws {
        try CertificateScript.run("alone \(name) /CN=localhost", in: scratch.path("."))
    }

    /// Renews the certificate, with a new key.
    func renew() throws { try make("server") }

    func configuration(_ tls: ClientTLSSettings? = nil, mode: DatabaseServer.TLSMode = .prefer) -> Configuration {
        var server = DatabaseServer(engine: .postgres, endpoint: .tcp(host: "127.0.0.1", port: 1), user: "monitor")
        server.tls = mode
        var route = DatabaseRoute(aliases: ["slave"], listen: [.tcp(host: "127.0.0.1", port: 0)])
        route.clientTLS = tls ?? ClientTLSSettings(certificate: certificate, key: key)
        return Configuration(
            databases: [DatabaseAlias(name: "slave", server: server)],
            services: [ServiceConfiguration(name: "slave", kind: .database(route))])
    }

    /// A handshake of a client with a context.
    ///
    /// - Returns: whether it resumed the earlier session, and what a later one can resume.
    func handshake(
        _ context: TLSContext, _ client: TLSContext, resuming: TLSResumption? = nil
    ) throws -> (isResumed: Bool, resumption: TLSResumption?) {
        var ends: [Int32] = [0, 0]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends)
        defer { for end in ends { close(end) } }
        let server = try TLSChannel(context, descriptor: ends[0])
        let client = try TLSChannel(client, descriptor: ends[1], resumption: resuming)
        var (serverWaits, clientWaits): (TLSReadiness?, TLSReadiness?) = (.readable, .readable)
        for _ in 0..<20 where serverWaits != nil || clientWaits != nil {
            if clientWaits != nil { clientWaits = try client.handshake() }
            if serverWaits != nil { serverWaits = try server.handshake() }
        }
        try #require(serverWaits == nil && clientWaits == nil)
        // Tickets arrive behind the handshake.
        withUnsafeTemporaryAllocation(byteCount: 1 << 14, alignment: 16) { _ = client.receive(into: $0) }
        return (client.isResumed, client.resumption)
    }
}

@Suite("TLS contexts of a plan")
struct TLSContextsTests {
    private let files: CertificateFiles
    private let tickets: TicketKeys

    init() throws {
        files = try CertificateFiles()
        tickets = try TicketKeys()
    }

    private func contexts(_ configuration: Configuration? = nil, after former: TLSContexts? = nil) throws -> TLSContexts
    {
        try TLSContexts(RoutePlan(configuration ?? files.configuration()), tickets: tickets, after: former)
    }

    private func context(_ contexts: TLSContexts, _ configuration: Configuration? = nil) throws -> TLSContext {
        let plan = RoutePlan(configuration ?? files.configuration())
        return try #require(contexts.clientTLS(of: plan.routes[0])).context
    }

    private func server(_ contexts: TLSContexts) throws -> TLSContext {
        let alias = RoutePlan(files.configuration()).aliases[0].database
        return try #require(contexts.serverTLS(of: alias)[alias.server.endpoint]).context
    }

    @Test func filesThatAreTheSameKeepTheirContexts() throws {
        let first = try contexts()
        let second = try contexts(after: first)
        #expect(try context(first) === context(second))
        #expect(try server(first) === server(second))
        #expect(second.changes(since: first) == [])
        // A limit is no part of the context.
        var settings = ClientTLSSettings(certificate: files.certificate, key: files.key)
        settings.maxHandshakes = 3
        let limited = files.configuration(settings)
        let third = try contexts(limited, after: second)
        #expect(try context(third) === context(first))
        #expect(third.clientTLS(of: RoutePlan(limited).routes[0])?.maxHandshakes == 3)
    }

    @Test func aRenewedCertificateIsAChangeAndMakesAContext() throws {
        let first = try contexts()
        try files.renew()
        let second = try contexts(after: first)
        #expect(second.changes(since: first) == ["slave: certificate changed"])
        #expect(try context(first) !== context(second))
        #expect(try server(first) === server(second))
    }

    @Test func otherAuthoritiesAreAChange() throws {
        try files.make("authority")
        let path = files.scratch.path("authority.pem")
        var configuration = files.configuration(
            ClientTLSSettings(certificate: files.certificate, key: files.key, clientAuthorities: path),
            mode: .verifyFull)
        configuration.databases[0].server.tlsAuthorities = path
        let first = try contexts(configuration)
        try files.make("authority")
        let second = try contexts(configuration, after: first)
        #expect(second.changes(since: first) == ["slave: client_ca changed", "alias slave: tls_ca changed"])
        #expect(try context(first, configuration) !== context(second, configuration))
    }

    @Test func aKeyOfAnotherCertificateIsRefused() throws {
        let first = try contexts()
        try files.make("other")
        let settings = ClientTLSSettings(certificate: files.certificate, key: files.scratch.path("other.key"))
        let error = #expect(throws: OperationError.self) { try contexts(files.configuration(settings), after: first) }
        let message = "\(settings.key): the key does not belong to the certificate in \(settings.certificate)"
        #expect(error == OperationError(.tls, "services.slave.client_tls: \(message)"))
        let problems = try files.configuration(settings).tlsProblems
        #expect(problems.map(\.keyPath) == ["services.slave.client_tls"])
        #expect(problems.map(\.message) == [message])
        #expect(try files.configuration().tlsProblems == [])
    }

    @Test func aFileThatIsGoneIsRefusedThoughAFormerContextExists() throws {
        let first = try contexts()
        try files.scratch.remove("server.key")
        let error = #expect(throws: OperationError.self) { try contexts(after: first) }
        #expect(error?.message == "services.slave.client_tls: \(files.key): No such file or directory")
    }

    @Test func aRouteWithoutClientTLSHasNoContexts() throws {
        var configuration = files.configuration()
        configuration.services[0].kind = .database(
            DatabaseRoute(aliases: ["slave"], listen: [.tcp(host: "127.0.0.1", port: 0)]))
        let contexts = try contexts(configuration)
        let plan = RoutePlan(configuration)
        #expect(contexts.clientTLS(of: plan.routes[0]) == nil)
        #expect(contexts.serverTLS(of: plan.aliases[0].database).isEmpty)
    }

    @Test func ticketsOfTheFormerProcessResumeAtTheNextOne() throws {
        let client = try TLSContext.client(TLSClientSettings(verification: .none, speaksPostgres: true))
        let ticket = try files.handshake(context(contexts()), client)
        #expect(!ticket.isResumed)
        let state = HandoverState(
            listeners: [], pins: [], drained: [], outages: [], degraded: [], aliases: [],
            ticketKeys: tickets.exported.map(HandoverState.Ticket.init))
        let read = try #require(HandoverState(bytes: try state.bytes(atMost: 0)))
        let next = try TLSContexts(RoutePlan(files.configuration()), tickets: TicketKeys(read.tickets))
        #expect(try files.handshake(context(next), client, resuming: ticket.resumption).isResumed)
        // Without the keys, the client makes a whole handshake.
        let stranger = try TLSContexts(RoutePlan(files.configuration()), tickets: TicketKeys())
        #expect(try !files.handshake(context(stranger), client, resuming: ticket.resumption).isResumed)
        let shown = String(reflecting: read.ticketKeys) + "\(read)"
        #expect(!shown.contains("Data") && shown.contains("(hidden)"), "\(shown)")
    }
}

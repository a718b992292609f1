import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("An alias that becomes another server", .timeLimit(.minutes(5)), .explained)
struct MovedAliasTests {
    private let former = EchoBackend { $0.servePostgres() }
    private let next = EchoBackend { $0.servePostgres() }

    private func server(_ backend: EchoBackend) -> Endpoint { .tcp(host: "127.0.0.1", port: UInt16(backend.port)) }

    @Test(arguments: [.close, .keep] as [SessionSettings.OutagePolicy])
    func itsSessionsLeaveTheFormerOne(onOutage: SessionSettings.OutagePolicy) async throws {
        let proxy = try ProxyUnderTest(
            backends: [[]], engine: .postgres, session: SessionSettings(onOutage: onOutage))
        proxy.board.setAddresses(alias: 0, [.loopback(port: former.port)], server: server(former))
        let client = try await PostgresClient(proxy)
        // Other addresses of the same server move no session.
        proxy.board.setAddresses(
            alias: 0, [.loopback(port: former.port), .loopback6(port: former.port)], server: server(former))
        #expect(try await client.run("begin") == "T")

        proxy.board.setAddresses(alias: 0, [.loopback(port: next.port)], server: server(next))
        if onOutage == .close {
            let error = try await client.error()
            #expect(error?.message == "slave: a0 now points to another server")
        } else {
            #expect(try await client.run("commit") == "I")
        }
        let other = try await PostgresClient(proxy)
        #expect(next.connections == 1)
        // Sessions of the current server stay when something else changes.
        proxy.board.setSuspect(alias: 0, true)
        #expect(try await other.run("select 1") == "I")
        await proxy.server.stop(grace: .zero)
    }
}

import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("The effect of a drill on open sessions", .timeLimit(.minutes(5)), .explained)
struct DrillTests {
    private let replica = EchoBackend { $0.servePostgres() }
    private let primary = EchoBackend { $0.servePostgres() }

    @Test func closesThemLikeAnOutageAndMovesThemBackAtItsEnd() async throws {
        let proxy = try ProxyUnderTest(ports: [replica.port, primary.port], engine: .postgres)
        let client = try await PostgresClient(proxy)
        proxy.board.setDrilled(alias: 0, true)
        let error = try await client.error()
        #expect(error?.sqlState == "57P01")
        #expect(error?.message == "slave: a0 is down: drill")
        let moved = try await PostgresClient(proxy)
        #expect(try await moved.run("select 1") == "I")
        #expect(primary.connections == 1)
        // A real outage and recovery during the drill moves no session.
        proxy.board.markDown(alias: 0, because: PingFailure(.refused, "down"))
        proxy.board.markUp(alias: 0)
        #expect(try await moved.run("select 1") == "I")
        proxy.board.setDrilled(alias: 0, false)
        #expect(try await moved.error()?.message == "slave is back on a preferred server")
        await proxy.server.stop(grace: .zero)
    }

    @Test func whereNobodyElseServesTheClientReadsThatItIsADrill() async throws {
        let proxy = try ProxyUnderTest(ports: [replica.port], engine: .postgres)
        proxy.board.setDrilled(alias: 0, true)
        let client = try await proxy.connect()
        try await client.send(PostgresWire.startup())
        #expect(try await client.receiveText(1) == "E")
        await proxy.server.stop(grace: .zero)
        let aliases = proxy.log.metadata.compactMap { $0["aliases"] }
        #expect(aliases == ["a0: drill: an outage drill started by an operator"])
    }
}

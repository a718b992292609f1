import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
import Testing

@testable import FailoverProxy

@Suite("Limits of one source", .timeLimit(.minutes(5)))
struct SourceLimitTests {
    private let second: UInt64 = 1_000_000_000

    private func key(_ ip: [UInt8]) throws -> SourceKey {
        try #require(SourceKey(SocketAddress(ip: ip, port: 1)))
    }

    @Test func aSourceHasSoManySessionsAndOthersTheirOwn() throws {
        let limits = SourceLimits(SourceLimit(sessions: 2))
        let (one, other) = (try key([10, 0, 0, 1]), try key([10, 0, 0, 2]))
        #expect(limits.enter(one, now: 0) == nil)
        #expect(limits.enter(one, now: 0) == nil)
        #expect(limits.enter(one, now: 0) == .tooMany)
        #expect(limits.enter(other, now: 0) == nil)
        limits.leave(one)
        #expect(limits.enter(one, now: 0) == nil)
    }

    @Test func newSessionsComeAtARateThatIsABurstToo() throws {
        let limits = SourceLimits(SourceLimit(rate: 4))
        let source = try key([10, 0, 0, 1])
        for _ in 0..<4 { #expect(limits.enter(source, now: second) == nil) }
        #expect(limits.enter(source, now: second) == .tooFast)
        #expect(limits.enter(source, now: second + second / 4) == nil)
        #expect(limits.enter(source, now: second + second / 4) == .tooFast)
        for _ in 0..<4 { #expect(limits.enter(source, now: 100 * second) == nil) }
        #expect(limits.enter(source, now: 100 * second) == .tooFast)
    }

    @Test func whatWasNoSessionCostsNoneOfTheRate() throws {
        let limits = SourceLimits(SourceLimit(rate: 1))
        let source = try key([10, 0, 0, 1])
        for _ in 0..<3 {
            #expect(limits.enter(source, now: second) == nil)
            limits.leave(source, isForgotten: true)
        }
        #expect(limits.enter(source, now: second) == nil)
        #expect(limits.enter(source, now: second) == .tooFast)
    }

    @Test func anIPv6SourceIsItsNetworkAndAMappedOneIsIPv4() throws {
        let network: [UInt8] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1]
        #expect(try key(network + [0, 0, 0, 0, 0, 0, 0, 1]) == key(network + [9, 9, 9, 9, 9, 9, 9, 9]))
        #expect(try key(network + [UInt8](repeating: 0, count: 8)) != key(Array(network.reversed()) + network))
        #expect(
            try key([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1]) == key([10, 0, 0, 1]))
        #expect(SourceKey(.unix("/run/x")) == nil)
        #expect(SourceKey(nil) == nil)
    }

    @Test func sourcesThatCannotMatterAnyMoreAreForgotten() throws {
        let limits = SourceLimits(SourceLimit(sessions: 1, rate: 10))
        let stays = try key([192, 0, 2, 1])
        #expect(limits.enter(stays, now: 0) == nil)
        for number in 0..<100_000 {
            let source = try key([10, UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255)])
            // A thousand new sources per second.
            #expect(limits.enter(source, now: UInt64(number) * 1_000_000) == nil)
            limits.leave(source)
        }
        #expect(limits.count <= 4096)
        #expect(limits.enter(stays, now: 100 * second) == .tooMany)
    }

    @Test func whoHasTooManyReadsSoInTheProtocolAndAnotherSourceIsServed() async throws {
        let backend = EchoBackend { $0.servePostgres() }
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: backend.port)]], maxConnectionsPerSource: 1, engine: .postgres)
        let first = try await PostgresClient(proxy)
        let second = try await proxy.connect()
        try await second.send(PostgresWire.startup())
        #expect(try await second.receiveText(1) == "E")
        #expect(proxy.log.lines.contains { $0.contains("client refused: max_connections_per_source is reached") })
        #expect(try await first.run("select 1") == "I")
        first.connection.endSending()
        _ = try await first.connection.drain()
        #expect(await eventually { (try? await PostgresClient(proxy).run("select 1")) == "I" })
        await proxy.server.stop(grace: .zero)
    }

    @Test func clientsOfAUnixSocketAreNotLimited() async throws {
        let scratch = try Scratch()
        let path = scratch.path("socket")
        let backend = EchoBackend(greeting: "r:")
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: backend.port)]], listen: [.unix(path)], maxConnectionsPerSource: 1)
        var clients: [TCPClient] = []
        for _ in 0..<3 {
            let client = try await TCPClient.connect(family: AF_UNIX, SocketAddress.unix(path).bytes)
            #expect(try await client.receiveText(2) == "r:")
            clients.append(client)
        }
        clients = []
        await proxy.server.stop(grace: .zero)
    }
}

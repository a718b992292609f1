import Dispatch
import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Cancel requests", .timeLimit(.minutes(5)))
struct CancelTests {
    private typealias Wire = PostgresWire

    /// A server whose sessions have the key 1, 2 or are encrypted, and that records the keys of cancel requests.
    private func server(_ heard: Heard) -> EchoBackend {
        EchoBackend { client in
            guard let head = client.receive(exactly: 8) else { return }
            if head == Wire.sslRequest {
                client.send(Array("S".utf8))
                _ = client.receive(exactly: Wire.hello.count)
                client.send(Wire.serverHello)
                client.receiveToEnd()
            } else if head == Array(Wire.cancel.prefix(8)) {
                guard let key = client.receive(exactly: 8) else { return }
                heard.add(Int(key[3]))
            } else {
                _ = client.receive(exactly: Wire.startup().count - 8)
                client.sendPostgresWelcome()
                client.receiveToEnd()
            }
        }
    }

    private func cancel(_ process: UInt8, through proxy: ProxyUnderTest) async throws {
        let client = try await proxy.connect()
        try await client.send(Wire.cancel(process: process, secret: 2))
        #expect(try await client.drain() == 0)
    }

    @Test func passThoughTheRouteIsAtItsLimit() async throws {
        let heard = Heard()
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: server(heard).port)]], maxConnections: 1, aliasLimits: [1], engine: .postgres)
        let holds = try await PostgresClient(proxy)
        let refused = try await proxy.connect()
        try await refused.send(Wire.startup())
        #expect(try await refused.receiveText(1) == "E")
        try await cancel(1, through: proxy)
        #expect(heard.numbers == [1])
        _ = consume holds
        await proxy.server.stop(grace: .zero)
    }

    @Test func takeNoPlaceOfTheRoute() async throws {
        let mayEnd = DispatchSemaphore(value: 0)
        let backend = EchoBackend { client in
            guard let head = client.receive(exactly: 16), head.prefix(8) != Wire.cancel.prefix(8) else {
                mayEnd.wait()
                return
            }
            client.sendPostgresWelcome()
            client.receiveToEnd()
        }
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: backend.port)]], maxConnections: 2, engine: .postgres)
        let holds = try await PostgresClient(proxy)
        let cancels = try await proxy.connect()
        try await cancels.send(Wire.cancel(process: 1, secret: 2))
        #expect(await eventually { backend.connections == 2 })
        // The request is being delivered, and the second connection slot is free.
        let second = try await PostgresClient(proxy)
        mayEnd.signal()
        #expect(try await cancels.drain() == 0)
        _ = (consume holds, consume second)
        await proxy.server.stop(grace: .zero)
    }

    @Test func ofKeysThatNobodyGaveOutGoNowhere() async throws {
        let heard = Heard()
        let backend = server(heard)
        let proxy = try ProxyUnderTest(ports: [backend.port], engine: .postgres)
        let holds = try await PostgresClient(proxy)
        try await cancel(9, through: proxy)
        #expect(heard.numbers.isEmpty)
        #expect(backend.connections == 1)
        _ = consume holds
        await proxy.server.stop(grace: .zero)
    }

    @Test func goToServersWithEncryptedSessionsWhateverTheirKey() async throws {
        let (first, second) = (Heard(), Heard())
        let servers = [server(first), server(second)]
        let proxy = try ProxyUnderTest(ports: servers.map(\.port), engine: .postgres)
        let inClear = try await PostgresClient(proxy)
        proxy.board.setSuspect(alias: 0, true)
        let encrypted = try await proxy.connect()
        try await encrypted.send(Wire.sslRequest)
        #expect(try await encrypted.receiveText(1) == "S")
        try await encrypted.send(Wire.hello)
        #expect(try await encrypted.receive(Wire.serverHello.count) == Wire.serverHello)
        try await cancel(1, through: proxy)
        try await cancel(9, through: proxy)
        #expect(first.numbers == [1])
        #expect(second.numbers == [1, 9])
        encrypted.endSending()
        #expect(try await encrypted.drain() == 0)
        try await cancel(9, through: proxy)
        #expect(second.numbers == [1, 9])
        _ = consume inClear
        await proxy.server.stop(grace: .zero)
    }

    @Test func aKeyThatComesInPiecesIsNotTakenForAnother() async throws {
        let heard = Heard()
        let backend = EchoBackend { client in
            guard let head = client.receive(exactly: 16) else { return }
            guard head.prefix(8) != Wire.cancel.prefix(8) else { return heard.add(Int(head[11])) }
            client.sendPostgres("R", [0, 0, 0, 0])
            client.dribble(Wire.message("K", [0, 0, 0, 1, 0, 0, 0, 2]), every: 5)
            client.send(Wire.ready("I"))
            client.receiveToEnd()
        }
        let proxy = try ProxyUnderTest(ports: [backend.port], engine: .postgres)
        let holds = try await PostgresClient(proxy)
        try await cancel(1, through: proxy)
        #expect(heard.numbers == [1])
        _ = consume holds
        await proxy.server.stop(grace: .zero)
    }

    @Test func ofOneProcessAreBounded() {
        let budget = SessionRegistry(capacity: 1000).cancelRequests
        for _ in 0..<64 { #expect(budget.take()) }
        #expect(!budget.take())
        budget.leave()
        #expect(budget.take())
    }

    @Test func keysAreToldApartByAliasProcessAndSecret() {
        let keys = CancelKeys()
        let key = CancelKey([0, 0, 0, 1, 0, 0, 0, 2])
        keys.insert(key, alias: 3)
        #expect(key == CancelKey(request: Wire.cancel(process: 1, secret: 2)))
        #expect(keys.mayHold(key, alias: 3))
        #expect(!keys.mayHold(key, alias: 2))
        #expect(!keys.mayHold(CancelKey([0, 0, 0, 1, 0, 0, 0, 3]), alias: 3))
        #expect(!keys.mayHold(CancelKey([0, 0, 0, 2, 0, 0, 0, 2]), alias: 3))
        keys.addKeyless(1, alias: 5)
        #expect(keys.mayHold(key, alias: 5))
        keys.addKeyless(-1, alias: 5)
        #expect(!keys.mayHold(key, alias: 5))
        keys.remove(key, alias: 3)
        #expect(!keys.mayHold(key, alias: 3))
    }
}

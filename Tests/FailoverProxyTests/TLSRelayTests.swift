import FailoverCore
import FailoverTesting
import Synchronization
import Testing

@testable import FailoverProxy

@Suite("How bytes travel where TLS ends at the proxy", .timeLimit(.minutes(5)), .explained)
struct TLSRelayTests {
    @Test(arguments: ServerSide.allCases)
    func recordsMayArriveByteByByte(side: ServerSide) async throws {
        let backend = side.echo
        let far = Chopper(target: UInt16(backend.port))
        let proxy = try ProxyUnderTest.terminating([far.port], requires: true, serverTLS: side.encryption)
        let near = Chopper(target: UInt16(proxy.port))
        let connection = try await TCPClient.connect(port: near.port)
        try await connection.secure()
        _ = try await PostgresClient(connection)
        for round in 0..<20 {
            let message = "message \(round), " + String(repeating: "x", count: round * 17)
            try await connection.send(message)
            #expect(try await connection.receiveText(message.utf8.count) == message)
        }
        connection.endSending()
        #expect(try await connection.drain() == 0)
        #expect(connection.hasClosure == true)
        #expect(await eventually { proxy.server.sessionCount == 0 })
        let traffic = await proxy.traffic
        #expect(traffic.handshakes == 1)
        #expect(traffic.failedHandshakes == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test(arguments: [false, true])
    func bothWaysToBeginLeadToTheSameSession(isDirect: Bool) async throws {
        let backend = ServerSide.inTLS.echo
        let proxy = try ProxyUnderTest.terminating(
            [backend.port], requires: true, serverTLS: ServerSide.inTLS.encryption)
        let client = try await PostgresClient(proxy.connectSecured(isDirect: isDirect))
        try await client.connection.send("hello")
        #expect(try await client.connection.receiveText(5) == "hello")
        await proxy.server.stop(grace: .zero)
    }

    /// Each block begins with its number. A map over all bytes would take a minute without optimization.
    private static func block(_ number: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(number).bigEndian) { Array($0) } + filling
    }

    private static let filling = (0..<65_532).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }

    @Test(arguments: ServerSide.allCases)
    func aBigStreamPassesWholeInBothDirections(side: ServerSide) async throws {
        let backend = side.echo
        let proxy = try ProxyUnderTest.terminating(
            [backend.port], serverTLS: side.encryption, maxBufferMemory: 1 << 20)
        let client = try await proxy.logIn().connection
        let data = (0..<64).flatMap(Self.block)
        // Nothing is read until everything is sent, so every buffer on the path fills up.
        let sending = Task { try await client.send(data) }
        let received = try await client.receive(data.count)
        try await sending.value
        #expect(received == data)
        client.endSending()
        #expect(try await client.drain() == 0)
        #expect(await eventually { proxy.server.sessionCount == 0 })
        #expect(proxy.server.heldBytes == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test(arguments: ServerSide.allCases)
    func aClientThatDoesNotReadStopsItsServerAndLaterGetsEverything(side: ServerSide) async throws {
        let (blocks, limit) = (256, 64 << 10)
        let sent = Sent()
        let backend = side.postgres { client in
            guard client.receiveText() == "stuck" else {
                for number in 0..<(blocks / 4) { client.send(Self.block(number)) }
                return client.endSending()
            }
            for number in 0..<blocks where client.send(Self.block(number)) { sent.count.add(1, ordering: .relaxed) }
            client.endSending()
        }
        let proxy = try ProxyUnderTest.terminating(
            [backend.port], serverTLS: side.encryption, maxBufferMemory: limit)
        var stuck: [TCPClient] = []
        for _ in 0..<2 {
            stuck.append(try await proxy.logIn().connection)
            try await stuck[stuck.count - 1].send("stuck")
        }
        #expect(await eventually { proxy.server.heldBytes > 0 })
        // The loop serves others, and nothing more is read for the clients that do not read.
        let other = try await proxy.logIn().connection
        try await other.send("other")
        var (received, mostHeld) = (0, 0)
        while case let bytes = try await other.receiveSome(upTo: 1 << 16), !bytes.isEmpty {
            received += bytes.count
            mostHeld = max(mostHeld, proxy.server.heldBytes)
        }
        #expect(received == blocks / 4 * 65_536)
        #expect(mostHeld <= limit + EventLoop.readSize)
        #expect(sent.count.load(ordering: .relaxed) < 2 * blocks)
        for client in stuck {
            for number in 0..<blocks {
                let block = try await client.receive(65_536)
                guard block == Self.block(number) else {
                    Issue.record("block \(number) is another one")
                    break
                }
            }
            #expect(try await client.drain() == 0)
            #expect(client.hasClosure == true)
            client.endSending()
        }
        #expect(await eventually { proxy.server.heldBytes == 0 })
        await proxy.server.stop(grace: .zero)
    }

    private final class Sent: Sendable { let count = Atomic<Int>(0) }

    // MARK: The end of a direction

    /// The ways in which a peer of TLS ends its direction.
    enum End: CaseIterable { case closure, truncation }

    @Test(arguments: ServerSide.allCases, End.allCases)
    func theClientsEndIsPassedOnAndTheAnswerReturns(side: ServerSide, end: End) async throws {
        let closures = Heard()
        let backend = side.postgres { client in
            let count = client.receiveToEnd().count
            closures.add(client.hasClosure.map { $0 ? 1 : 0 } ?? -1)
            client.send(Array("got \(count)".utf8))
            client.endSending()
        }
        let proxy = try ProxyUnderTest.terminating([backend.port], serverTLS: side.encryption)
        let client = try await proxy.logIn().connection
        try await client.send("hello")
        switch end {
        case .closure: client.endSending()
        case .truncation: client.truncate()
        }
        #expect(try await client.receiveText(100) == "got 5")
        #expect(client.hasClosure == true)
        #expect(closures.numbers == [side == .inTLS ? 1 : -1])
        #expect(await eventually { proxy.server.sessionCount == 0 })
        await proxy.server.stop(grace: .zero)
    }

    @Test(arguments: ServerSide.allCases, End.allCases)
    func theServersEndIsPassedOnAndTheClientMayGoOn(side: ServerSide, end: End) async throws {
        let heard = Heard()
        let backend = side.postgres { client in
            client.send(Array("bye".utf8))
            switch end {
            case .closure: client.endSending()
            case .truncation: client.truncate()
            }
            heard.add(client.receiveToEnd().count)
        }
        let proxy = try ProxyUnderTest.terminating([backend.port], serverTLS: side.encryption)
        let client = try await proxy.logIn().connection
        #expect(try await client.receiveText(100) == "bye")
        #expect(client.hasClosure == true)
        try await client.send("last words")
        client.endSending()
        #expect(await eventually { heard.numbers == [10] })
        #expect(await eventually { proxy.server.sessionCount == 0 })
        await proxy.server.stop(grace: .zero)
    }

    @Test(arguments: ServerSide.allCases)
    func aClientThatResetsEndsItsOwnSessionOnly(side: ServerSide) async throws {
        let backend = side.echo
        let proxy = try ProxyUnderTest.terminating([backend.port], serverTLS: side.encryption)
        let stays = try await proxy.logIn().connection
        for _ in 0..<5 {
            let leaves = try await proxy.logIn().connection
            leaves.resetOnClose()
            try await leaves.send("x")
        }
        #expect(await eventually { proxy.server.sessionCount == 1 })
        try await stays.send("still here")
        #expect(try await stays.receiveText(10) == "still here")
        #expect(proxy.failures.isEmpty)
        await proxy.server.stop(grace: .zero)
    }
}

extension FaultyServerConnection {
    /// What has arrived, as text.
    fileprivate func receiveText() -> String { String(decoding: receive(), as: UTF8.self) }
}

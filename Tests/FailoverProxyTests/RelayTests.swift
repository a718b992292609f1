import FailoverCore
import FailoverTesting
import Glibc
import Testing

@testable import FailoverProxy

@Suite("How bytes travel", .timeLimit(.minutes(5)), .explained)
struct RelayTests {
    @Test func bytesPassBothWays() async throws {
        let backend = EchoBackend()
        let proxy = try ProxyUnderTest(ports: [backend.port])
        let client = try await proxy.connect()
        for round in 0..<50 {
            try await client.send("message \(round);")
            #expect(try await client.receiveText("message \(round);".utf8.count) == "message \(round);")
        }
        await proxy.server.stop(grace: .zero)
    }

    @Test func aBigStreamArrivesWholeThoughItsReaderIsSlow() async throws {
        let backend = EchoBackend()
        let proxy = try ProxyUnderTest(ports: [backend.port])
        let client = try await proxy.connect()
        // Each piece begins with its number. A map over all bytes would take a minute without optimization.
        let piece = (0..<65_532).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        let data = (UInt32(0)..<488).flatMap { number in withUnsafeBytes(of: number.bigEndian) { Array($0) } + piece }
        // Nothing is read until everything is sent, so every buffer on the path fills up.
        let sending = Task { try await client.send(data) }
        let received = try await client.receive(data.count)
        try await sending.value
        #expect(received == data)
        client.endSending()
        #expect(try await client.drain() == 0)
        #expect(await eventually { proxy.server.sessionCount == 0 })
        await proxy.server.stop(grace: .zero)
    }

    @Test func aReaderThatNeverReadsStopsItsOwnSessionOnly() async throws {
        let flood = EchoBackend(play: { client in
            let block = [UInt8](repeating: 7, count: 1 << 16)
            while client.send(block) {}
        })
        let proxy = try ProxyUnderTest(ports: [flood.port], workers: 1)
        let stuck = try await proxy.connect()
        let other = try await proxy.connect()
        #expect(try await other.receive(10_000_000).count == 10_000_000)
        #expect(try await stuck.receive(10_000_000).count == 10_000_000)
        await proxy.server.stop(grace: .zero)
    }

    @Test func theEndOfOneDirectionIsPassedOnAndTheOtherGoesOn() async throws {
        // Answers only after it has read the end.
        let backend = EchoBackend(play: { client in
            client.send(Array("got \(client.receiveToEnd().count)".utf8))
        })
        let proxy = try ProxyUnderTest(ports: [backend.port])
        let client = try await proxy.connect()
        try await client.send("hello")
        client.endSending()
        #expect(try await client.receiveText(100) == "got 5")
        #expect(await eventually { proxy.server.sessionCount == 0 })
        await proxy.server.stop(grace: .zero)
    }

    @Test func aClientThatResetsEndsItsOwnSessionOnly() async throws {
        let backend = EchoBackend(greeting: "r:")
        let proxy = try ProxyUnderTest(ports: [backend.port])
        let stays = try await proxy.connect()
        for _ in 0..<20 {
            let leaves = try await proxy.connect()
            leaves.resetOnClose()
            try await leaves.send("x")
        }
        #expect(await eventually { proxy.server.sessionCount == 1 })
        try await stays.send("still here")
        #expect(try await stays.receiveText(12) == "r:still here")
        await proxy.server.stop(grace: .zero)
    }

    @Test func aBackendThatResetsWhatCannotBeReadClosesTheClientAndIsWorthALook() async throws {
        let backend = EchoBackend(
            greeting: "hello",
            play: { client in
                client.receive()
                client.reset()
            })
        let proxy = try ProxyUnderTest(ports: [backend.port])
        let client = try await proxy.connect()
        #expect(try await client.receiveText(5) == "hello")
        try await client.send("x")
        #expect(try await client.drain() == 0)
        #expect(await eventually { proxy.doubtful == [0] })
        #expect(proxy.failures.isEmpty)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aBackendThatResetsAfterTheClientsGoodbyeIsWell() async throws {
        let backend = EchoBackend(
            greeting: "hello",
            play: { client in
                // Leaves the client's last bytes unread, as PostgreSQL does with the end of TLS.
                client.waitForEnd()
            })
        let proxy = try ProxyUnderTest(ports: [backend.port])
        let client = try await proxy.connect()
        #expect(try await client.receiveText(5) == "hello")
        try await client.send("goodbye")
        client.endSending()
        _ = try? await client.drain()
        #expect(await eventually { proxy.server.sessionCount == 0 })
        #expect(proxy.failures.isEmpty)
        await proxy.server.stop(grace: .zero)
    }

    @Test func anIdleSessionIsClosedAfterIdleTimeout() async throws {
        let backend = EchoBackend(greeting: "r:")
        // The idle time begins with the connection, and a backend on a busy machine may need longer for its greeting.
        let received = try await patiently(.milliseconds(50)) {
            $0 == 2
        } _: { limit in
            let proxy = try ProxyUnderTest(ports: [backend.port], session: SessionSettings(idleTimeout: limit))
            let received = try await proxy.connect().drain()
            #expect(await eventually { proxy.server.sessionCount == 0 })
            await proxy.server.stop(grace: .zero)
            return received
        }
        #expect(received == 2)
    }

    @Test func connectionsThatSayNothingCostNoMoreThanTheirMemory() async throws {
        let backend = EchoBackend()
        let proxy = try ProxyUnderTest(ports: [backend.port])
        var clients: [TCPClient] = []
        for _ in 0..<300 { clients.append(try await proxy.connect()) }
        #expect(await eventually { proxy.server.sessionCount == 300 })
        try await clients[150].send("one speaks")
        #expect(try await clients[150].receiveText(10) == "one speaks")
        clients = []
        #expect(await eventually { proxy.server.sessionCount == 0 })
        await proxy.server.stop(grace: .zero)
    }
}

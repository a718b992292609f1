import Dispatch
import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("A session that its server has ended", .timeLimit(.minutes(5)))
struct HalfCloseTests {
    @Test func givesItsPlacesBackThoughItsClientStays() async throws {
        let backend = EchoBackend(greeting: "r:", play: { _ in })
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: backend.port)]], maxConnections: 1, aliasLimits: [1],
            session: SessionSettings(halfCloseTimeout: .seconds(3600)))
        var stay: [TCPClient] = []
        for _ in 0..<200 {
            let client = try await proxy.connect()
            #expect(try await client.drain() == 2)
            stay.append(client)
        }
        #expect(proxy.server.sessionCount == 200)
        await proxy.server.stop(grace: .zero)
    }

    @Test func isClosedAfterHalfCloseTimeout() async throws {
        let backend = EchoBackend(greeting: "r:", play: { _ in })
        let proxy = try ProxyUnderTest(
            ports: [backend.port], session: SessionSettings(halfCloseTimeout: .milliseconds(50)))
        let client = try await proxy.connect()
        #expect(try await client.receiveText(2) == "r:")
        #expect(await eventually { proxy.server.sessionCount == 0 })
        #expect(try await client.drain() == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test func staysUntilTheClientHasTakenWhatTheServerSaid() async throws {
        let size = 24_000_000
        let backend = EchoBackend(
            greeting: "",
            play: { client in
                if client.receive().first == UInt8(ascii: "b") { client.send([UInt8](repeating: 7, count: size)) }
            })
        let proxy = try ProxyUnderTest(
            ports: [backend.port], session: SessionSettings(halfCloseTimeout: .milliseconds(200)))
        let reads = try await proxy.connect()
        try await reads.send("big")
        #expect(try await reads.receive(1) == [7])
        // Stays open while sessions with nothing left to send are closed.
        for _ in 0..<3 {
            let takesNothing = try await proxy.connect()
            try await takesNothing.send("nothing")
            #expect(await eventually { proxy.server.sessionCount == 1 })
        }
        #expect(try await reads.drain() == size - 1)
        #expect(await eventually { proxy.server.sessionCount == 0 })
        await proxy.server.stop(grace: .zero)
    }

    @Test func aClientThatHasEndedWaitsForItsAnswerHoweverLongItTakes() async throws {
        let mayAnswer = DispatchSemaphore(value: 0)
        let backend = EchoBackend(play: { client in
            guard client.receiveToEnd() == Array("a long question".utf8) else { return }
            mayAnswer.wait()
            client.send(Array("the answer".utf8))
        })
        let proxy = try ProxyUnderTest(
            ports: [backend.port], session: SessionSettings(halfCloseTimeout: .milliseconds(200)))
        let waits = try await proxy.connect()
        try await waits.send("a long question")
        waits.endSending()
        for _ in 0..<3 {
            let other = try await proxy.connect()
            other.endSending()
            #expect(try await other.drain() == 0)
            #expect(await eventually { proxy.server.sessionCount == 1 })
        }
        mayAnswer.signal()
        #expect(try await waits.receiveText(100) == "the answer")
        await proxy.server.stop(grace: .zero)
    }
}

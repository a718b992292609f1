import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Buffers for slow peers", .timeLimit(.minutes(5)))
struct BufferTests {
    private static let flood: @Sendable (FaultyServerConnection) -> Void = { client in
        let block = [UInt8](repeating: 7, count: 1 << 16)
        while client.send(block) {}
    }

    /// Timeouts are off, so that a slow reader on a busy machine is not disconnected.
    private static let untimed = SessionSettings(tcpUserTimeout: nil, stallTimeout: nil)

    @Test func isAtMost16KiBADirection() async throws {
        let backend = EchoBackend(play: Self.flood)
        let proxy = try ProxyUnderTest(ports: [backend.port], session: Self.untimed)
        var readers: [TCPClient] = []
        for _ in 0..<50 {
            let reader = try await proxy.connect()
            // In the middle of a result.
            #expect(try await reader.receive(1_000_000).count == 1_000_000)
            readers.append(reader)
        }
        #expect(await eventually { proxy.server.heldBytes > 0 })
        // All sessions are stalled once the number of bytes no longer changes.
        var (latest, since) = (-1, 0)
        while since < 5 {
            try await Task.sleep(for: .milliseconds(100))
            since = proxy.server.heldBytes == latest ? since + 1 : 0
            latest = proxy.server.heldBytes
        }
        #expect(proxy.server.heldBytes <= 50 * 16_384)
        for reader in readers { #expect(try await reader.receive(10_000_000).count == 10_000_000) }
        readers = []
        #expect(await eventually { proxy.server.sessionCount == 0 })
        #expect(proxy.server.heldBytes == 0)
        await proxy.server.stop(grace: .zero)
    }

    @Test func isBoundedByABudgetThatStopsReadersAndNobodyElse() async throws {
        let backend = EchoBackend(play: Self.flood)
        let proxy = try ProxyUnderTest(
            backends: [[.loopback(port: backend.port)]], session: Self.untimed, maxBufferMemory: 40_000)
        var readers: [TCPClient] = []
        for _ in 0..<20 {
            let reader = try await proxy.connect()
            #expect(try await reader.receive(1_000_000).count == 1_000_000)
            readers.append(reader)
        }
        #expect(proxy.server.heldBytes < 40_000 + 16_384 * 2)
        // A client that reads is still served.
        let other = try await proxy.connect()
        #expect(try await other.receive(30_000_000).count == 30_000_000)
        #expect(proxy.server.heldBytes < 40_000 + 16_384 * 2)
        for reader in readers { #expect(try await reader.receive(10_000_000).count == 10_000_000) }
        await proxy.server.stop(grace: .zero)
    }
}

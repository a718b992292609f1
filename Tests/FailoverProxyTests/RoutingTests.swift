import FailoverCore
import FailoverTesting
import Glibc
import Testing

@testable import FailoverProxy

@Suite("Where sessions go", .timeLimit(.minutes(5)))
struct RoutingTests {
    private let down = PingFailure(.refused, "down")

    @Test func newSessionsFollowTheRouteTable() async throws {
        let (replica, primary) = try (EchoBackend(greeting: "r:"), EchoBackend(greeting: "p:"))
        let proxy = try ProxyUnderTest(ports: [replica.port, primary.port])
        #expect(try await proxy.whoAnswers() == "r:")
        proxy.board.markDown(alias: 0, because: down)
        #expect(try await proxy.whoAnswers() == "p:")
        proxy.board.markUp(alias: 0)
        #expect(try await proxy.whoAnswers() == "r:")
        #expect(proxy.arrivals == 3)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aRefusedConnectionEndsOnTheNextAliasAndIsReported() async throws {
        let (replica, primary) = try (EchoBackend(greeting: "r:"), EchoBackend(greeting: "p:"))
        replica.stop()
        let proxy = try ProxyUnderTest(ports: [replica.port, primary.port])
        #expect(try await proxy.whoAnswers() == "p:")
        #expect(proxy.failures.map(\.kind) == [.connectRefused])
        #expect(proxy.failures.map(\.alias) == [0])
        await proxy.server.stop(grace: .zero)
    }

    @Test func anAddressThatRefusesLeavesTheNextAddressOfTheSameAlias() async throws {
        let backend = try EchoBackend(greeting: "r:")
        let gone = try EchoBackend()
        gone.stop()
        let proxy = try ProxyUnderTest(backends: [[.loopback(port: gone.port), .loopback(port: backend.port)]])
        #expect(try await proxy.whoAnswers() == "r:")
        #expect(proxy.failures.isEmpty)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aConnectionThatIsSwallowedEndsOnTheNextAliasAfterConnectTimeout() async throws {
        let primary = try EchoBackend(greeting: "p:")
        let blackHole = try FullListener()
        let proxy = try ProxyUnderTest(
            ports: [blackHole.port, primary.port], session: SessionSettings(connectTimeout: .milliseconds(50)))
        #expect(try await proxy.whoAnswers() == "p:")
        #expect(proxy.failures.map(\.kind) == [.connectTimeout])
        await proxy.server.stop(grace: .zero)
    }

    @Test func whenNothingIsUpTheClientIsClosedAtOnceAndTheLogSaysWhy() async throws {
        let proxy = try ProxyUnderTest(ports: [1])
        proxy.board.markDown(alias: 0, because: down)
        #expect(try await proxy.whoAnswers() == "")
        #expect(proxy.log.lines == ["warning slave: client refused, no alias could serve it"])
        #expect(proxy.log.metadata.first?["aliases"] == "a0: refused: down")
        await proxy.server.stop(grace: .zero)
    }

    @Test func aBackendThatClosesBeforeItSaidAnythingIsReported() async throws {
        let backend = try EchoBackend(play: { _ in })
        let proxy = try ProxyUnderTest(ports: [backend.port])
        _ = try await proxy.whoAnswers()
        #expect(await eventually { proxy.failures.map(\.kind) == [.earlyClose] })
        await proxy.server.stop(grace: .zero)
    }

    @Test func sessionsOverTheRoutesLimitAreClosed() async throws {
        let backend = try EchoBackend(greeting: "r:")
        let proxy = try ProxyUnderTest(backends: [[.loopback(port: backend.port)]], maxConnections: 1)
        let first = try await proxy.connect()
        #expect(try await first.receiveText(2) == "r:")
        #expect(try await proxy.whoAnswers() == "")
        first.endSending()
        #expect(try await first.drain() == 0)
        #expect(await eventually { proxy.server.sessionCount == 0 })
        #expect(try await proxy.whoAnswers() == "r:")
        await proxy.server.stop(grace: .zero)
    }
}

/// A listener whose queue is full: the kernel drops further connection attempts, as a black hole would.
final class FullListener {
    let port: Int
    private let listener: Int32
    private var fillers: [Int32] = []

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let address = SocketAddress.loopback(port: 0)
        guard address.withSocketAddress({ bind(listener, $0, $1) }) == 0, listen(listener, 0) == 0 else {
            throw SystemError("listen")
        }
        self.listener = listener
        let bound = address.withPort(of: listener)
        port = Int(bound.bytes[2]) << 8 | Int(bound.bytes[3])
        for _ in 0..<4 {
            let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            _ = bound.withSocketAddress { connect(filler, $0, $1) }
            fillers.append(filler)
        }
    }

    deinit {
        for descriptor in fillers + [listener] { close(descriptor) }
    }
}

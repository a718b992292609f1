import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
import Testing

@testable import FailoverProxy

@Suite("Listeners and shutdown", .timeLimit(.minutes(5)), .explained)
struct ListenerTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func anAddressInUseIsOneClearLine() throws {
        let backend = EchoBackend()
        let error = #expect(throws: OperationError.self) {
            _ = try ProxyUnderTest(backends: [], listen: [.loopback(port: backend.port)])
        }
        #expect(
            error?.description
                == "cannot listen on 127.0.0.1:\(backend.port): Address already in use; another process listens there")
    }

    @Test func aListenerThatFailsLeavesNoneOpen() async throws {
        let backend = EchoBackend()
        let path = scratch.path("half")
        #expect(throws: OperationError.self) {
            _ = try ProxyUnderTest(backends: [], listen: [.unix(path), .loopback(port: backend.port)])
        }
        #expect(access(path, F_OK) != 0)
    }

    @Test func listensOnIPv6() async throws {
        let backend = EchoBackend(greeting: "r:")
        let proxy = try ProxyUnderTest(backends: [[.loopback(port: backend.port)]], listen: [.loopback6(port: 0)])
        let client = try await TCPClient.connect(
            family: AF_INET6, SocketAddress.loopback6(port: proxy.port).bytes)
        #expect(try await client.receiveText(2) == "r:")
        await proxy.server.stop(grace: .zero)
    }

    @Test func listensOnAUnixSocketAndRemovesItAtTheEnd() async throws {
        let backend = EchoBackend(greeting: "r:")
        let path = scratch.path("socket")
        let proxy = try ProxyUnderTest(backends: [[.loopback(port: backend.port)]], listen: [.unix(path)])
        let client = try await TCPClient.connect(family: AF_UNIX, SocketAddress.unix(path).bytes)
        #expect(try await client.receiveText(2) == "r:")
        await proxy.server.stop(grace: .zero)
        #expect(access(path, F_OK) != 0)
    }

    private func file(at path: String) -> (mode: UInt32, group: UInt32) {
        var status = stat()
        return lstat(path, &status) == 0 ? (status.st_mode & 0o777, status.st_gid) : (0, 0)
    }

    @Test func aUnixSocketHasTheModeAndTheGroupThatItIsGiven() async throws {
        let path = scratch.path("socket")
        let group = getgid()
        func route(_ access: UnixSocketAccess) -> ProxyRoute {
            ProxyRoute(name: "slave", engine: .tcp, listen: [.unix(path)], socketAccess: access)
        }
        let first = try OpenListeners().changed(to: [route(UnixSocketAccess(mode: 0o620, group: "\(group)"))])
        #expect(file(at: path) == (0o620, group))
        // The mode of another configuration is applied.
        let second = try first.changed(to: [route(UnixSocketAccess(mode: 0o777))])
        #expect(second.all.map(\.id) == first.all.map(\.id))
        #expect(file(at: path).mode == 0o777)
        second.close(second.all)
        let error = #expect(throws: OperationError.self) {
            _ = try OpenListeners().changed(to: [route(UnixSocketAccess(group: "no-such-group"))])
        }
        #expect(error?.description.hasSuffix("; the group in listen_group does not exist") == true)
    }

    @Test func aSocketLeftBehindIsReplacedAndOneInUseIsNot() async throws {
        let path = scratch.path("socket")
        let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        _ = SocketAddress.unix(path).withSocketAddress { bind(stale, $0, $1) }
        close(stale)
        let proxy = try ProxyUnderTest(backends: [], listen: [.unix(path)])
        let error = #expect(throws: OperationError.self) { _ = try ProxyUnderTest(backends: [], listen: [.unix(path)]) }
        #expect((error?.cause as? SystemError)?.code == EADDRINUSE)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aFileThatIsNoSocketIsLeftAlone() throws {
        let path = scratch.path("file")
        close(open(path, O_CREAT | O_WRONLY, 0o600))
        let error = #expect(throws: OperationError.self) { _ = try ProxyUnderTest(backends: [], listen: [.unix(path)]) }
        #expect((error?.cause as? SystemError)?.code == EEXIST)
        #expect(access(path, F_OK) == 0)
        unlink(path)
    }

    @Test func stoppingLetsSessionsEndAndAcceptsNoMore() async throws {
        let backend = EchoBackend()
        let proxy = try ProxyUnderTest(ports: [backend.port])
        let client = try await proxy.connect()
        try await client.send("x")
        #expect(try await client.receive(1).count == 1)
        let stopping = Task { await proxy.server.stop(grace: .ample) }
        #expect(await eventually { (try? await proxy.connect()) == nil })
        try await client.send("y")
        #expect(try await client.receiveText(1) == "y")
        client.endSending()
        #expect(try await client.drain() == 0)
        await stopping.value
    }

    @Test func clientsWhoWaitInTheQueueWhenItStopsAreServed() async throws {
        let backend = EchoBackend()
        let proxy = try ProxyUnderTest(ports: [backend.port], workers: 1)
        var clients: [TCPClient] = []
        for _ in 0..<200 { clients.append(try await proxy.connect()) }
        let stopping = Task { await proxy.server.stop(grace: .ample) }
        for client in clients {
            try await client.send("x")
            #expect(try await client.receiveText(1) == "x")
        }
        clients = []
        await stopping.value
    }

    @Test func stoppingClosesWhatDidNotEndInTime() async throws {
        let backend = EchoBackend()
        let proxy = try ProxyUnderTest(ports: [backend.port])
        let client = try await proxy.connect()
        try await client.send("x")
        #expect(try await client.receive(1).count == 1)
        await proxy.server.stop(grace: .milliseconds(10))
        #expect(try await client.drain() == 0)
        #expect(proxy.log.lines.contains("notice closing sessions that did not end"))
    }

    @Test func sessionsAreSpreadOverTheLoops() async throws {
        let backend = EchoBackend()
        let proxy = try ProxyUnderTest(ports: [backend.port], workers: 2)
        var clients: [TCPClient] = []
        for _ in 0..<10 { clients.append(try await proxy.connect()) }
        for client in clients {
            try await client.send("x")
            #expect(try await client.receive(1).count == 1)
        }
        #expect(proxy.server.loads == [5, 5])
        await proxy.server.stop(grace: .zero)
    }
}

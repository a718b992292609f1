import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("Allowed clients and PROXY headers", .timeLimit(.minutes(5)), .explained)
struct FenceTests {
    private static func address(_ ip: [UInt8], _ port: UInt16) -> SocketAddress {
        guard let address = SocketAddress(ip: ip, port: port) else { preconditionFailure("no address") }
        return address
    }

    private static let v4 = (address([192, 0, 2, 1], 1000), address([192, 0, 2, 2], 5432))
    private static let v6 = (
        address([0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [1], 1000),
        address([0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [2], 5432)
    )

    // MARK: allow

    @Test func aNetworkHoldsTheAddressesThatShareItsPrefix() {
        let network = SourceNetworks([.init(address: [10, 32, 0, 0], prefixLength: 11)])
        #expect(network.contains(Self.address([10, 32, 0, 1], 1)))
        #expect(network.contains(Self.address([10, 63, 255, 255], 1)))
        #expect(!network.contains(Self.address([10, 64, 0, 0], 1)))
        #expect(!network.contains(Self.v6.0))
        #expect(network.contains(.unix("/run/socket")))
        #expect(SourceNetworks([.init(address: [0, 0, 0, 0], prefixLength: 0)]).contains(Self.v4.0))
        #expect("\(network.networks[0])" == "10.32.0.0/11")
    }

    @Test func whoComesFromElsewhereIsClosedAndLogged() async throws {
        let backend = EchoBackend(greeting: "r:")
        for (prefix, isAllowed) in [([127, 0, 0, 0], true), ([10, 0, 0, 0] as [UInt8], false)] {
            let proxy = try ProxyUnderTest(
                backends: [[.loopback(port: backend.port)]],
                allow: SourceNetworks([.init(address: prefix, prefixLength: 8)]))
            let answer = try? await proxy.whoAnswers()
            #expect(answer == (isAllowed ? "r:" : ""))
            #expect(proxy.log.lines.contains { $0.contains("is not in `allow`") } != isAllowed)
            await proxy.server.stop(grace: .zero)
        }
        #expect(backend.connections == 1)
    }

    // MARK: PROXY protocol

    @Test(arguments: ProxyHeaderVersion.allCases)
    func aHeaderReadsAsItWasWritten(version: ProxyHeaderVersion) {
        for (source, destination) in [Self.v4, Self.v6] {
            let bytes = version.bytes(source: source, destination: destination)
            for length in 0..<bytes.count { #expect(ProxyHeader.read(Array(bytes.prefix(length))) == .incomplete) }
            let expected = ProxyHeader.Reading.header(source: source, destination: destination, length: bytes.count)
            #expect(ProxyHeader.read(bytes + [1, 2, 3]) == expected)
        }
        let nobody = version.bytes(source: .unix("/a"), destination: .unix("/b"))
        #expect(ProxyHeader.read(nobody) == .header(source: nil, destination: nil, length: nobody.count))
    }

    @Test func aLineIsWrittenAsTheSpecificationSays() {
        let bytes = ProxyHeaderVersion.v1.bytes(source: Self.v4.0, destination: Self.v4.1)
        #expect(String(decoding: bytes, as: UTF8.self) == "PROXY TCP4 192.0.2.1 192.0.2.2 1000 5432\r\n")
        let v6 = ProxyHeaderVersion.v1.bytes(source: Self.v6.0, destination: Self.v6.1)
        #expect(String(decoding: v6, as: UTF8.self) == "PROXY TCP6 2001:db8::1 2001:db8::2 1000 5432\r\n")
    }

    @Test(arguments: [
        "GET / HTTP/1.0\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1000\r\n", "PROXY TCP4 ::1 ::2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 1000 70000\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1000 5432\n",
        "PROXY TCP4 " + String(repeating: "1", count: 200), "\r\n\r\n\u{0}\r\nQUIT\n\u{11}\u{11}\u{0}\u{c}",
    ])
    func whatIsNoHeaderIsToldAtOnce(text: String) {
        #expect(ProxyHeader.read(Array(text.utf8)) == .malformed)
    }

    @Test(arguments: ProxyHeaderVersion.allCases)
    func theBackendIsToldWhoTheClientIsBeforeAnythingElse(version: ProxyHeaderVersion) async throws {
        let backend = EchoBackend()
        let proxy = try ProxyUnderTest(ports: [backend.port], session: SessionSettings(sendProxy: version))
        let client = try await proxy.connect()
        try await client.send("hello")
        var said: [UInt8] = []
        while Array(said.suffix(5)) != Array("hello".utf8) { said += try await client.receive(1) }
        guard case .header(let source, let destination, let length) = ProxyHeader.read(said) else {
            Issue.record("no header: \(said)")
            return
        }
        #expect(source?.ip == [127, 0, 0, 1])
        #expect(destination?.port == UInt16(proxy.port))
        #expect(said.count == length + 5)
        await proxy.server.stop(grace: .zero)
    }

    @Test func aBalancersHeaderIsTakenOffAndPassedOn() async throws {
        let backend = EchoBackend()
        let proxy = try ProxyUnderTest(
            ports: [backend.port], session: SessionSettings(sendProxy: .v1, acceptProxy: true))
        let client = try await proxy.connect()
        let header = ProxyHeaderVersion.v2.bytes(source: Self.v4.0, destination: Self.v4.1)
        // In pieces, directly followed by data.
        try await client.send(Array(header.prefix(5)))
        try await client.send(Array(header.dropFirst(5)) + Array("hello".utf8))
        let start = "PROXY TCP4 192.0.2.1 "
        #expect(try await client.receiveText(start.utf8.count) == start)
        await proxy.server.stop(grace: .zero)
    }

    @Test func whoBringsNoHeaderIsNotServed() async throws {
        let backend = EchoBackend()
        let proxy = try ProxyUnderTest(
            ports: [backend.port],
            session: SessionSettings(clientStartupTimeout: .milliseconds(50), acceptProxy: true))
        let wrong = try await proxy.connect()
        // On a slow machine the proxy's time limit may pass before this.
        try? await wrong.send("hello")
        #expect((try? await wrong.drain()) ?? 0 == 0)
        #expect(try await proxy.connect().drain() == 0)
        #expect(backend.connections == 0)
        await proxy.server.stop(grace: .zero)
    }
}

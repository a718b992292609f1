import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverChecks

@Suite("TCP ping")
struct TCPCheckTests {
    let bench = CheckBench()

    func check(_ endpoint: Endpoint) -> ServerCheck {
        ServerCheck(endpoint: endpoint, resolver: bench.resolver, threads: bench.threads)
    }

    @Test func connectsAndClosesInOrder() async throws {
        let (endings, ending) = AsyncStream<Bool>.makeStream()
        let server = FaultyServer {
            $0.send(Array("220 hello\r\n".utf8))
            let received = $0.receiveToEnd()
            // A reset would make the read fail before this send.
            ending.yield(received.isEmpty && $0.send([0]))
        }
        try await check(.tcp(host: "127.0.0.1", port: server.port)).ping(limit: .ample)
        var iterator = endings.makeAsyncIterator()
        #expect(await iterator.next() == true)
    }

    /// Case 22.
    @Test(arguments: ProxyHeaderVersion.allCases, [DatabaseServer.Engine.tcp, .postgres, .mysql])
    func pingsBeginWithThePROXYHeader(_ version: ProxyHeaderVersion, _ engine: DatabaseServer.Engine) async throws {
        let (heads, head) = AsyncStream<[UInt8]>.makeStream()
        let server = FaultyServer { connection in
            var bytes: [UInt8] = []
            while bytes.last != 0x0a || bytes.count < 13 {
                guard let byte = connection.receive(exactly: 1) else { break }
                bytes += byte
                guard version == .v2, bytes.count == 16 else { continue }
                // A sender that connects on its own behalf sends no addresses.
                if bytes[15] > 0, let rest = connection.receive(exactly: Int(bytes[15])) { bytes += rest }
                break
            }
            head.yield(bytes)
            switch engine {
            case .tcp: connection.receiveToEnd()
            case .postgres:
                connection.receivePostgresStartup()
                connection.sendPostgresWelcome()
                connection.receive()
                connection.sendPostgresRow()
                connection.sendPostgresEnd()
                connection.receiveToEnd()
            case .mysql:
                guard connection.acceptMySQLLogin() else { return }
                _ = connection.receiveMySQLPacket()
                connection.sendMySQLColumns()
                connection.sendMySQLRow()
                connection.receiveToEnd()
            }
        }
        let database = DatabaseServer(
            engine: engine, endpoint: .tcp(host: "127.0.0.1", port: server.port), user: "monitor", tls: .disable,
            proxyHeader: version)
        #expect(await bench.outcome(of: bench.check(database)) == nil)
        var iterator = heads.makeAsyncIterator()
        let found = try #require(await iterator.next())
        switch version {
        case .v1:
            let text = String(decoding: found, as: UTF8.self)
            let line = /PROXY TCP4 127.0.0.1 127.0.0.1 [0-9]+ ([0-9]+)\r\n/
            if engine == .mysql {
                #expect(text == "PROXY UNKNOWN\r\n")
            } else {
                #expect(text.wholeMatch(of: line)?.1 == "\(server.port)")
            }
        case .v2:
            #expect(found.starts(with: ProxyHeaderVersion.signature))
            #expect(found.dropFirst(12).prefix(2) == (engine == .mysql ? [0x20, 0] : [0x21, 0x11]))
        }
    }

    @Test func nobodyListensIsRefused() async throws {
        let port = UnusedPort()
        await #expect(throws: PingFailure(.refused, "127.0.0.1:\(port.port): Connection refused")) {
            try await check(.tcp(host: "127.0.0.1", port: port.port)).ping(limit: .ample)
        }
    }

    @Test func swallowedPacketsTimeOut() async throws {
        let server = SwallowingServer()
        await #expect(
            throws: PingFailure(.timeout(.connecting), "127.0.0.1:\(server.port) gave no answer within 300 ms")
        ) {
            try await check(.tcp(host: "127.0.0.1", port: server.port)).ping(limit: .milliseconds(300))
        }
    }

    @Test func missingSocketIsRefused() async throws {
        await #expect(throws: PingFailure(.refused, "unix:/nonexistent: No such file or directory")) {
            try await check(.unix(path: "/nonexistent")).ping(limit: .ample)
        }
    }

    @Test func deadFirstAddressLeavesTimeForTheSecond() async throws {
        let server = FaultyServer { $0.receiveToEnd() }
        let dead = SwallowingServer(lastByte: 2, port: server.port)
        let resolver = NameResolver(threads: bench.threads) { _ throws(PingFailure) in
            AddressList(literals: ["127.0.0.2", "127.0.0.1"])
        }
        let check = ServerCheck(
            endpoint: .tcp(host: "db.example", port: server.port), resolver: resolver, threads: bench.threads)
        // The dead server always uses its half of the limit, and a busy machine may need more than the other half for
        // the live one.
        let answer = await patiently {
            $0.failure == nil
        } _: { limit in
            await check.answer(PingRequest(limit: limit))
        }
        #expect(
            answer.place?.addresses.map(\.description) == ["127.0.0.1:\(server.port)", "127.0.0.2:\(dead.port)"])
        #expect(answer.place?.isTested == true)
    }

    @Test func lastAddressSpeaksForAll() async throws {
        let port = UnusedPort()
        let resolver = NameResolver(threads: bench.threads) { _ throws(PingFailure) in
            AddressList(literals: ["127.0.0.2", "127.0.0.1"])
        }
        let check = ServerCheck(
            endpoint: .tcp(host: "db.example", port: port.port), resolver: resolver, threads: bench.threads)
        await #expect(
            throws: PingFailure(
                .refused, "db.example:\(port.port) (127.0.0.1:\(port.port)): Connection refused")
        ) {
            try await check.ping(limit: .ample)
        }
    }
}

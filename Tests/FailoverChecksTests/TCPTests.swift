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
            // A reset would have failed the read before it failed this.
            ending.yield(received.isEmpty && $0.send([0]))
        }
        try await check(.tcp(host: "127.0.0.1", port: server.port)).ping(limit: .seconds(10))
        var iterator = endings.makeAsyncIterator()
        #expect(await iterator.next() == true)
    }

    @Test func nobodyListensIsRefused() async throws {
        let port = UnusedPort()
        await #expect(throws: PingFailure(.refused, "127.0.0.1:\(port.port): Connection refused")) {
            try await check(.tcp(host: "127.0.0.1", port: port.port)).ping(limit: .seconds(10))
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
            try await check(.unix(path: "/nonexistent")).ping(limit: .seconds(10))
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
        let reports = Lock<[FoundAddresses]>([])
        try await check.ping(limit: .seconds(10)) { found in reports.withLock { $0.append(found) } }
        let (first, second) = ("127.0.0.2:\(dead.port)", "127.0.0.1:\(server.port)")
        #expect(
            reports.withLock { $0.map { $0.addresses.map(\.description) } } == [[first, second], [second, first]])
        #expect(reports.withLock { $0.map(\.isTested) } == [false, true])
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
            try await check.ping(limit: .seconds(10))
        }
    }
}

import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverChecks

@Suite("Memcached ping")
struct MemcachedTests {
    static let good: @Sendable (FaultyServerConnection) -> Void = {
        if $0.receive(exactly: 9) == Array("version\r\n".utf8) { $0.send(Array("VERSION 1.6.18\r\n".utf8)) }
        $0.receiveToEnd()
    }

    let bench = CheckBench()

    func check(_ ports: [UInt16]) -> MemcachedCheck {
        MemcachedCheck(
            servers: ports.map { .tcp(host: "127.0.0.1", port: $0) }, resolver: bench.resolver, threads: bench.threads)
    }

    func failure(
        limit: Duration = .ample, _ script: @escaping @Sendable (FaultyServerConnection) -> Void
    ) async -> PingFailure? {
        let server = FaultyServer(script: script)
        defer { server.stop() }
        return await bench.outcome { () throws(PingFailure) in try await check([server.port]).ping(limit: limit) }
    }

    @Test func versionIsUp() async {
        #expect(await failure(Self.good) == nil)
    }

    @Test func versionInPiecesIsUp() async {
        #expect(await failure { $0.dribble(Array("VERSION 1\r\n".utf8), every: 1) } == nil)
    }

    @Test(arguments: Misbehaviour.allCases)
    func serverThatDoesNotAnswerIsDown(misbehaviour: Misbehaviour) async {
        let failure = await misbehaviour.failure(at: .query) { limit in
            await self.failure(limit: limit) { client in
                client.receive()
                client.misbehave(misbehaviour, halfAnswer: Array("VERSION 1.6".utf8))
            }
        }
        #expect(failure?.reason == misbehaviour.reason(at: .query))
    }

    @Test(arguments: [
        ("ERROR Too many open connections\r\n", PingFailure.Reason.tooManyConnections),
        ("CLIENT_ERROR unauthenticated\r\n", .authentication), ("SERVER_ERROR out of memory\r\n", .query),
        ("ERROR\r\n", .protocolViolation), ("VERSION 1.6.18\n", .protocolViolation), ("\r\n", .protocolViolation),
    ])
    func otherAnswersHaveTheirReason(line: String, reason: PingFailure.Reason) async {
        let failure = await failure {
            $0.receive()
            $0.send(Array(line.utf8))
            $0.receiveToEnd()
        }
        #expect(failure?.reason == reason)
    }

    @Test func deadServersOfAPoolAreNamed() async {
        let good = FaultyServer(script: Self.good)
        let silent = FaultyServer { $0.holdOpen() }
        defer { silent.stop() }
        let unused = UnusedPort()
        let dead = (first: "127.0.0.1:\(unused.port)", second: "127.0.0.1:\(silent.port)")
        let expected = PingFailure(
            .serversDown([dead.first, dead.second]),
            "2 of 3 servers down: \(dead.first) (refused), \(dead.second) (timeout (running the query))")
        // The silent server uses up the whole limit, and the healthy one must answer within it.
        let failure = await patiently {
            $0 == expected
        } _: { limit in
            await bench.outcome { () throws(PingFailure) in
                try await check([unused.port, good.port, silent.port]).ping(limit: limit)
            }
        }
        #expect(failure == expected)
    }

    @Test func aFullServerOfAPoolIsNoDeadOne() async {
        let good = FaultyServer(script: Self.good)
        let full = FaultyServer {
            $0.receive()
            $0.send(Array("ERROR Too many open connections\r\n".utf8))
            $0.receiveToEnd()
        }
        let failure = await bench.outcome { () throws(PingFailure) in
            try await check([good.port, full.port]).ping(limit: .ample)
        }
        #expect(failure?.reason == .tooManyConnections)
        let unused = UnusedPort()
        let both = await bench.outcome { () throws(PingFailure) in
            try await check([full.port, unused.port]).ping(limit: .ample)
        }
        #expect(both?.reason == .serversDown(["127.0.0.1:\(unused.port)"]))
    }

    @Test func serversArePingedBesideEachOther() async {
        // Each server answers only after both have been asked.
        let gate = Gate()
        let asked = Counter()
        let script: @Sendable (FaultyServerConnection) -> Void = {
            $0.receive()
            asked.increment()
            if asked.value == 2 { gate.open() }
            gate.wait()
            $0.send(Array("VERSION 1\r\n".utf8))
        }
        let servers = [FaultyServer(script: script), FaultyServer(script: script)]
        let failure = await bench.outcome { () throws(PingFailure) in
            try await check(servers.map(\.port)).ping(limit: .ample)
        }
        #expect(failure == nil)
    }
}

import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverChecks

@Suite("Memcached ping", .timeLimit(.minutes(5)))
struct MemcachedCheckTests {
    private let bench = CheckBench()

    private func failure(ports: [UInt16], limit: Duration = .seconds(100)) async -> PingFailure? {
        let check = MemcachedCheck(
            servers: ports.map { .tcp(host: "127.0.0.1", port: $0) }, resolver: bench.resolver, threads: bench.threads)
        do {
            try await check.ping(limit: limit)
            return nil
        } catch { return error }
    }

    private func server(_ answer: String) -> FaultyServer {
        FaultyServer {
            guard $0.receive(exactly: 9) == Array("version\r\n".utf8) else { return }
            $0.send(Array(answer.utf8))
            $0.waitForEnd()
        }
    }

    @Test func aPoolIsUpWhenEveryServerAnswers() async {
        let (one, other) = (server("VERSION 1.6.18\r\n"), server("CLIENT_ERROR unauthenticated\r\n"))
        #expect(await failure(ports: [one.port, other.port]) == nil)
    }

    @Test func theDeadServersOfAPoolAreNamed() async throws {
        let up = server("VERSION 1.6.18\r\n")
        let gone = UnusedPort()
        let silent = FaultyServer { $0.holdOpen() }
        let failure = try #require(await failure(ports: [gone.port, up.port, silent.port], limit: .seconds(1)))
        #expect(failure.reason == .serversDown(["127.0.0.1:\(gone.port)", "127.0.0.1:\(silent.port)"]))
        #expect(
            failure.detail == "2 of 3 servers down: 127.0.0.1:\(gone.port) (refused), "
                + "127.0.0.1:\(silent.port) (timeout (running the query))")
    }

    @Test func aPoolOfOneSaysWhatItsServerSays() async {
        let gone = UnusedPort()
        #expect(
            await failure(ports: [gone.port]) == PingFailure(.refused, "127.0.0.1:\(gone.port): Connection refused"))
    }

    @Test(arguments: [
        ("", "closed the connection without an answer"), ("VERSION 1.6", "closed the connection without an answer"),
    ])
    func aServerThatClosesEarlyIsDead(answer: String, words: String) async {
        let server = FaultyServer {
            $0.receive(atLeast: 9)
            $0.send(Array(answer.utf8))
        }
        #expect(
            await failure(ports: [server.port]) == PingFailure(.disconnected, "127.0.0.1:\(server.port): \(words)"))
    }

    @Test func whatIsNotMemcachedIsNamed() async throws {
        let server = server("HTTP/1.1 400 Bad Request\r\n\u{1b}[31m")
        let failure = try #require(await failure(ports: [server.port]))
        #expect(
            failure
                == PingFailure(
                    .protocolViolation,
                    "127.0.0.1:\(server.port): not an answer of memcached: HTTP/1.1 400 Bad Request"))
    }

    @Test func anEndlessAnswerIsNotReadToItsEnd() async throws {
        let server = FaultyServer { connection in
            connection.receive(atLeast: 9)
            while connection.send(Array(repeating: UInt8(ascii: "x"), count: 4096)) {}
        }
        #expect(await failure(ports: [server.port])?.reason == .protocolViolation)
    }

    @Test func aServerThatSaysAByteNowAndThenOutlivesNoLimit() async {
        let server = FaultyServer { $0.dribble(Array(repeating: UInt8(ascii: "V"), count: 400), every: 50) }
        #expect(await failure(ports: [server.port], limit: .milliseconds(300))?.reason == .timeout(.query))
    }
}

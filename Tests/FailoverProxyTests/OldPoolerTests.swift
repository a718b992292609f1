import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverProxy

/// A failover alias behind a pooler that does not accept `default_transaction_read_only` at the start, such as
/// PgBouncer 1.18. Case 14.
@Suite("The read-only guard at an old pooler", .timeLimit(.minutes(5)))
struct OldPoolerTests {
    private final class Heard: Sendable {
        private let notes = Lock<[String]>([])
        var all: [String] { notes.withLock { $0 } }
        func note(_ word: String) { notes.withLock { $0.append(word) } }
    }

    private func pooler(
        _ heard: Heard,
        answer: @escaping @Sendable (FaultyServerConnection) -> Void = {
            $0.sendPostgres("C", Array("SET\u{0}".utf8))
            $0.sendPostgres("Z", Array("I".utf8))
        }
    ) -> EchoBackend {
        EchoBackend { connection in
            guard let length = connection.receive(exactly: 4),
                let body = connection.receive(exactly: Int(length[3]) + Int(length[2]) << 8 - 4)
            else { return heard.note("gone") }
            if String(decoding: body, as: UTF8.self).contains("default_transaction_read_only") {
                heard.note("refused")
                return connection.sendPostgresError(
                    "08P01", "unsupported startup parameter: default_transaction_read_only")
            }
            connection.sendPostgresWelcome()
            while let head = connection.receive(exactly: 5),
                let body = connection.receive(exactly: head[1...].reduce(0) { $0 << 8 | Int($1) } - 4)
            {
                guard head[0] == UInt8(ascii: "Q") else { return }
                let query = String(decoding: body.dropLast(), as: UTF8.self)
                heard.note(query)
                if query == PostgresGuard.statement {
                    answer(connection)
                } else {
                    connection.sendPostgres("C", Array("OK\u{0}".utf8))
                    connection.sendPostgres("Z", Array("I".utf8))
                }
            }
        }
    }

    private func proxy(
        _ own: UnusedPort, _ pooler: EchoBackend, greetingTimeout: Duration = .ample, workers: Int = 1
    ) throws -> ProxyUnderTest {
        try ProxyUnderTest(
            ports: [Int(own.port), pooler.port], engine: .postgres,
            session: SessionSettings(greetingTimeout: greetingTimeout, failoverReadOnly: true), workers: workers)
    }

    @Test func itIsToldByAStatementAndThatIsRemembered() async throws {
        let (unused, heard) = (UnusedPort(), Heard())
        let pooler = pooler(heard)
        let proxy = try proxy(unused, pooler)
        for _ in 0..<5 {
            let client = try await PostgresClient(proxy)
            _ = try await client.run("select 1")
        }
        #expect(heard.all == ["refused"] + (0..<5).flatMap { _ in [PostgresGuard.statement, "select 1"] })
        // No alias is accused.
        #expect(!proxy.failures.contains { $0.alias == 1 })
    }

    @Test func aPoolerThatDoesNotTakeTheStatementServesNobody() async throws {
        let (unused, heard) = (UnusedPort(), Heard())
        let pooler = pooler(heard) { $0.sendPostgresError("25001", "not now", severity: "ERROR") }
        let proxy = try proxy(unused, pooler)
        let connection = try await proxy.connect()
        try await connection.send(PostgresWire.startup())
        let answer = String(decoding: try await connection.receive(20_000), as: UTF8.self)
        #expect(answer.contains("cannot make the session on a1 read-only: server answered 25001: not now"), "\(answer)")
        #expect(answer.contains("57P03"))
    }

    @Test func aPoolerThatSaysNothingToItServesNobody() async throws {
        let (unused, heard) = (UnusedPort(), Heard())
        let pooler = pooler(heard) { $0.holdOpen() }
        let expected = "no answer from the server in time"
        let answer = try await patiently(until: { $0.contains(expected) }) { limit in
            let proxy = try proxy(unused, pooler, greetingTimeout: limit)
            let connection = try await proxy.connect()
            try await connection.send(PostgresWire.startup())
            return String(decoding: try await connection.receive(20_000), as: UTF8.self)
        }
        #expect(answer.contains(expected), "\(answer)")
    }
}

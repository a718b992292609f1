import FailoverCore
import FailoverSystem
import FailoverTesting
import Synchronization
import Testing

@testable import FailoverChecks

@Suite("Asking a server for boundaries")
struct BoundaryCheckTests {
    private let bench = CheckBench()
    private let sources = [SocketAddress(ip: [127, 0, 0, 1], port: 5000)].compactMap(\.self)

    private func check(_ engine: DatabaseServer.Engine, port: UInt16) throws -> BoundaryCheck {
        let server = DatabaseServer(
            engine: engine, endpoint: .tcp(host: "127.0.0.1", port: port), user: "monitor", tls: .disable)
        let address = try #require(SocketAddress(ip: [127, 0, 0, 1], port: port))
        return BoundaryCheck(server: server, address: address, threads: bench.threads)
    }

    private func message(_ answer: BoundaryAnswer) -> String? {
        if case .failed(let message) = answer { message } else { nil }
    }

    @Test func engineTCPIsNotAsked() async throws {
        let answer = try await check(.tcp, port: 1).answer(for: sources)
        #expect(answer == .failed("127.0.0.1:1: engine tcp has no sessions to ask for"))
    }

    @Test func socketFilesAreNotAsked() async throws {
        let socket = try #require(SocketAddress.unix(path: "/run/s"))
        let port = UnusedPort()
        #expect(try await check(.postgres, port: port.port).answer(for: [socket]) == .attested([]))
        #expect(try await check(.postgres, port: port.port).answer(for: []) == .attested([]))
        let server = DatabaseServer(engine: .mysql, endpoint: .unix(path: "/run/s"))
        let check = BoundaryCheck(server: server, address: socket, threads: bench.threads)
        #expect(await check.answer(for: sources) == .attested([]))
    }

    @Test(arguments: [DatabaseServer.Engine.postgres, .mysql])
    func aRefusedConnectionFails(engine: DatabaseServer.Engine) async throws {
        let port = UnusedPort()
        let check = try check(engine, port: port.port)
        for _ in 1...2 {
            let message = try #require(message(await check.answer(for: sources)))
            #expect(message.hasPrefix("127.0.0.1:\(port.port): "), "\(message)")
        }
    }

    @Test(arguments: [DatabaseServer.Engine.postgres, .mysql])
    func aServerThatHangsHoldsUpNothing(engine: DatabaseServer.Engine) async throws {
        let server = FaultyServer { $0.holdOpen() }
        defer { server.stop() }
        let check = try check(engine, port: server.port)
        let start = ContinuousClock.now
        async let first = check.answer(for: sources)
        #expect(await eventually { server.connections == 1 })
        let second = try #require(message(await check.answer(for: sources)))
        #expect(second == "127.0.0.1:\(server.port): an earlier question has not returned yet")
        let hung = try #require(message(await first))
        #expect(hung.hasPrefix("127.0.0.1:\(server.port)"), "\(hung)")
        #expect(ContinuousClock.now - start >= .seconds(2))
        // It logs in again as soon as the thread has returned.
        #expect(
            await eventually {
                _ = await check.answer(for: sources)
                return server.connections > 1
            })
    }

    @Test func aQuestionThatHangsEndsInASecond() async throws {
        let server = FaultyServer { client in
            guard client.receivePostgresStartup() else { return }
            client.sendPostgresWelcome()
            client.holdOpen()
        }
        defer { server.stop() }
        let answer = try await check(.postgres, port: server.port).answer(for: sources)
        #expect(message(answer)?.contains("gave no answer within 3 s") == true, "\(answer)")
    }

    /// The server lists another address for the asking connection, as behind a pooler.
    @Test func anotherAddressOfTheAskingConnectionIsBlind() async throws {
        let server = FaultyServer { client in
            guard client.receivePostgresStartup() else { return }
            client.sendPostgresWelcome()
            while client.receivePostgresMessage() {
                client.sendPostgresRow(["127.0.0.1", "1", "active", "f", "client backend", "t", "t"])
                client.sendPostgresEnd()
            }
        }
        defer { server.stop() }
        #expect(try await check(.postgres, port: server.port).answer(for: sources) == .blind)
    }

    @Test func rowsThatAreNoneFailTheQuestion() async throws {
        let server = FaultyServer { client in
            guard client.receivePostgresStartup() else { return }
            client.sendPostgresWelcome()
            while client.receivePostgresMessage() {
                client.sendPostgresRow()
                client.sendPostgresEnd()
            }
        }
        defer { server.stop() }
        let answer = try await check(.postgres, port: server.port).answer(for: sources)
        #expect(answer == .failed("the list of sessions is inconsistent"))
    }

    @Test func theConnectionStaysForTheNextQuestionsAndEndsWithoutThem() async throws {
        let server = ListingServer()
        let check = try check(.postgres, port: server.port)
        for _ in 1...10 { #expect(await check.answer(for: sources) == .attested(Set(sources))) }
        #expect(server.opened == 1 && server.ended == 0)
        #expect(await eventually { server.ended == 1 })
        #expect(await check.answer(for: sources) == .attested(Set(sources)))
        #expect(server.opened == 2)
    }

    @Test func theConnectionEndsWithTheCheck() async throws {
        let server = ListingServer()
        var checks = [try check(.postgres, port: server.port)]
        #expect(await checks[0].answer(for: sources) == .attested(Set(sources)))
        let start = ContinuousClock.now
        checks = []
        #expect(await eventually { server.ended == 1 })
        #expect(ContinuousClock.now - start < BoundaryCheck.idleTime)
    }

    @Test func aServerThatEndsTheConnectionIsAskedAnew() async throws {
        let server = FaultyServer { client in
            guard client.receivePostgresStartup() else { return }
            client.sendPostgresWelcome()
            _ = client.receivePostgresMessage()
        }
        defer { server.stop() }
        let check = try check(.postgres, port: server.port)
        for count in 1...3 {
            #expect(message(await check.answer(for: sources)) != nil)
            #expect(server.connections == count)
        }
    }
}

/// A PostgreSQL server that lists one idle session besides the asking one.
private final class ListingServer: Sendable {
    private final class Counts: Sendable {
        let opened = Atomic<Int>(0)
        let ended = Atomic<Int>(0)
    }

    private let server: FaultyServer
    private let counts = Counts()

    init() {
        server = FaultyServer { [counts] client in
            guard client.receivePostgresStartup() else { return }
            counts.opened.add(1, ordering: .relaxed)
            client.sendPostgresWelcome()
            while client.receivePostgresMessage() {
                let own = client.peerPort.map { "\($0)" }
                client.sendPostgresRows([
                    ["127.0.0.1", own, "active", "f", "client backend", "t", "t"],
                    ["127.0.0.1", "5000", "idle", "t", "client backend", "f", "t"],
                ])
                client.sendPostgresEnd()
            }
            counts.ended.add(1, ordering: .relaxed)
        }
    }

    var port: UInt16 { server.port }
    var opened: Int { counts.opened.load(ordering: .relaxed) }
    var ended: Int { counts.ended.load(ordering: .relaxed) }
}

extension FaultyServerConnection {
    /// Reads a message; false if the client has disconnected.
    fileprivate func receivePostgresMessage() -> Bool {
        guard let head = receive(exactly: 5), head[0] != UInt8(ascii: "X") else { return false }
        let length = head[1...].reduce(0) { $0 << 8 | Int($1) }
        return length <= 4 || receive(exactly: length - 4) != nil
    }
}

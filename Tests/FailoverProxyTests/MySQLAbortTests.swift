import Dispatch
import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
import Testing

@testable import FailoverProxy

/// A server counts connections without a login and in the end blocks the proxy's host. Case 21.
@Suite("Clients that leave a MySQL server before they are logged in", .timeLimit(.minutes(5)))
struct MySQLAbortTests {
    /// The logins at a server: the user's name, or `gone`.
    private final class Logins: Sendable {
        private let notes = Lock<[String]>([])
        var all: [String] { notes.withLock { $0 } }
        func note(_ word: String) { notes.withLock { $0.append(word) } }
    }

    private func server(
        _ logins: Logins, before: @escaping @Sendable (FaultyServerConnection) -> Void = { _ in }
    ) -> EchoBackend {
        EchoBackend { connection in
            before(connection)
            connection.send(FaultyServerConnection.mysqlGreeting(offersTLS: true))
            guard let login = connection.receiveMySQLPacket() else { return logins.note("gone") }
            logins.note(String(decoding: login.dropFirst(32).prefix { $0 != 0 }, as: UTF8.self))
            connection.sendMySQLError(1045, "Access denied", sequence: 2, sqlState: "28000")
            connection.receiveToEnd()
            logins.note("end")
        }
    }

    private func proxy(_ backend: EchoBackend, startup: Duration = .seconds(30)) throws -> ProxyUnderTest {
        try ProxyUnderTest(
            ports: [backend.port], engine: .mysql,
            session: SessionSettings(
                connectTimeout: .seconds(10), greetingTimeout: .seconds(10), clientStartupTimeout: startup))
    }

    private static let greeting = FaultyServerConnection.mysqlGreeting(offersTLS: true)
    private static let left = [MySQLRefusedLogin.user, "end"]

    private func isLeft(_ logins: Logins) async -> Bool { await eventually { logins.all == Self.left } }

    enum Way: CaseIterable {
        case close, reset, halfClose, partOfALogin, requestForTLS, halfAClientHello
    }

    @Test(arguments: Way.allCases)
    func whoeverLeavesLeavesByARefusedLogin(_ way: Way) async throws {
        let logins = Logins()
        let backend = server(logins)
        let proxy = try proxy(backend)
        do {
            let client = try await proxy.connect()
            #expect(try await client.receive(Self.greeting.count) == Self.greeting)
            let request: [UInt8] = [0x01, 0x0a, 0, 0] + [0, 0, 0, 1, 45] + [UInt8](repeating: 0, count: 23)
            switch way {
            case .close: break
            case .reset: client.resetOnClose()
            case .halfClose: client.endSending()
            case .partOfALogin: try await client.send([100, 0, 0, 1] + request)
            case .requestForTLS: try await client.send([32, 0, 0, 1] + request)
            case .halfAClientHello: try await client.send([32, 0, 0, 1] + request + [0x16, 3, 1, 2, 0, 1, 0])
            }
            if way == .halfClose { #expect(try await client.isLetGo()) }
        }
        #expect(await isLeft(logins), "\(logins.all)")
    }

    @Test func whoeverSaysNothingInTimeIsLetGoAndTheServerLeftInOrder() async throws {
        let logins = Logins()
        let backend = server(logins)
        let proxy = try proxy(backend, startup: .milliseconds(300))
        let client = try await proxy.connect()
        #expect(try await client.receive(Self.greeting.count) == Self.greeting)
        #expect(try await client.isLetGo())
        #expect(await isLeft(logins), "\(logins.all)")
    }

    @Test func whoeverLeavesBeforeTheGreetingLeavesInOrderWhenItComes() async throws {
        let (logins, hasLeft) = (Logins(), DispatchSemaphore(value: 0))
        let backend = server(logins) { _ in hasLeft.wait() }
        let proxy = try proxy(backend)
        do {
            let client = try await proxy.connect()
            #expect(await eventually { backend.connections == 1 })
            client.resetOnClose()
        }
        #expect(await eventually { proxy.server.sessionCount == 0 })
        hasLeft.signal()
        #expect(await isLeft(logins), "\(logins.all)")
    }

    @Test func aQuestionOfTheServersIsAnsweredInTheClientsPlace() async throws {
        let logins = Logins()
        let backend = EchoBackend { connection in
            connection.send(FaultyServerConnection.mysqlGreeting())
            _ = connection.receiveMySQLPacket()
            let question: [UInt8] = [0xfe] + Array("caching_sha2_password\u{0}abcdefghijklmnopqrst\u{0}".utf8)
            connection.send(FaultyServerConnection.mysqlPacket(2, question))
            logins.note(connection.receiveMySQLPacket()?.isEmpty == true ? "empty" : "gone")
            connection.sendMySQLError(1045, "Access denied", sequence: 4, sqlState: "28000")
            connection.receiveToEnd()
            logins.note("end")
        }
        let proxy = try proxy(backend)
        do {
            let client = try await proxy.connect()
            _ = try await client.receive(FaultyServerConnection.mysqlGreeting().count)
            let handshake: [UInt8] = [0x01, 0x02, 0, 0] + [0, 0, 0, 1, 45] + [UInt8](repeating: 0, count: 23)
            try await client.send(FaultyServerConnection.mysqlPacket(1, handshake + Array("app\u{0}\u{0}".utf8)))
            _ = try await client.receive(8)
        }
        #expect(await eventually { logins.all == ["empty", "end"] }, "\(logins.all)")
    }

    @Test func sessionsThatAnOutageCutsLeaveInOrder() async throws {
        let logins = Logins()
        let backend = server(logins)
        let proxy = try proxy(backend)
        let client = try await proxy.connect()
        #expect(try await client.receive(Self.greeting.count) == Self.greeting)
        proxy.board.markDown(alias: 0, because: PingFailure(.wrongRole, "for now"))
        #expect(await isLeft(logins), "\(logins.all)")
    }

    @Test func sessionsThatTheEndOfTheProcessCutsLeaveInOrder() async throws {
        let logins = Logins()
        let backend = server(logins)
        let proxy = try proxy(backend)
        let clients = [try await proxy.connect(), try await proxy.connect(), try await proxy.connect()]
        for client in clients { #expect(try await client.receive(Self.greeting.count) == Self.greeting) }
        await proxy.server.stop(grace: .zero)
        // All connections to the servers have ended by now.
        #expect(logins.all.count { $0 == MySQLRefusedLogin.user } == 3, "\(logins.all)")
        #expect(!logins.all.contains("gone"))
    }

    @Test func aServerThatSaysNothingHoldsUpNoEnd() async throws {
        let backend = EchoBackend { connection in
            connection.send(FaultyServerConnection.mysqlGreeting())
            connection.receiveToEnd()
        }
        let proxy = try proxy(backend)
        let client = try await proxy.connect()
        _ = try await client.receive(FaultyServerConnection.mysqlGreeting().count)
        let start = ContinuousClock.now
        await proxy.server.stop(grace: .zero)
        #expect(ContinuousClock.now - start >= .milliseconds(900))
        #expect(ContinuousClock.now - start < .seconds(60))
    }
}

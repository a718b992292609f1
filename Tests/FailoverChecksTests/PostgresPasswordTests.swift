import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverChecks

/// An impostor in the place of the server learns no password. Case 33.
@Suite("Passwords that a PostgreSQL server requests")
struct PostgresPasswordTests {
    private typealias Connection = FaultyServerConnection
    private static let cleartext = Connection.postgresMessage("R", [0, 0, 0, 3])
    private static let md5 = Connection.postgresMessage("R", [0, 0, 0, 5, 1, 2, 3, 4])
    private static let scram = Connection.postgresMessage("R", [0, 0, 0, 10] + Array("SCRAM-SHA-256\u{0}\u{0}".utf8))
    private static let goOn = Connection.postgresMessage("R", [0, 0, 0, 11] + [UInt8](repeating: 65, count: 80))
    private static let welcome = Connection.postgresMessage("R", [0, 0, 0, 0])

    private func readings(_ parts: [UInt8]...) -> [PostgresPasswordWatch.Reading] {
        var watch = PostgresPasswordWatch()
        return parts.map { watch.read($0) }
    }

    @Test func eachWayOfAskingIsToldFromTheOthers() {
        #expect(readings(Self.cleartext) == [.whole(asks: .cleartext)])
        #expect(readings(Self.md5) == [.whole(asks: .md5)])
        let good = readings(Self.scram, Self.goOn, Self.welcome)
        #expect(good == [.whole(asks: .scram), .whole(asks: nil), .whole(asks: nil)])
        let negotiation = Connection.postgresMessage("v", [0, 3, 0, 0, 0, 0, 0, 0])
        #expect(readings(negotiation + Self.cleartext) == [.whole(asks: .cleartext)])
    }

    @Test func theWorstOfSeveralCounts() {
        #expect(readings(Self.scram + Self.cleartext) == [.whole(asks: .cleartext)])
        #expect(readings(Self.cleartext + Self.md5 + Self.scram) == [.whole(asks: .cleartext)])
        #expect(readings(Self.scram, Self.goOn.dropLast() + [], [65] + Self.md5).last == .whole(asks: .md5))
    }

    @Test func nothingIsAskedAfterTheWelcomeOrAnError() {
        var watch = PostgresPasswordWatch()
        #expect(watch.read(Self.welcome + Self.cleartext) == .whole(asks: nil))
        #expect(watch.isOver)
        var refused = PostgresPasswordWatch()
        #expect(refused.read(Connection.postgresMessage("E", [0])) == .whole(asks: nil))
        #expect(refused.isOver)
    }

    @Test(arguments: 1..<9)
    func aHeadInPiecesIsWaitedFor(count: Int) {
        var watch = PostgresPasswordWatch()
        #expect(watch.read(Array(Self.cleartext.prefix(count))) == .incomplete(needed: 9))
        #expect(watch.read(Self.cleartext) == .whole(asks: .cleartext))
        var later = PostgresPasswordWatch()
        #expect(later.read(Self.goOn + Self.md5.prefix(count)) == .incomplete(needed: Self.goOn.count + 9))
        #expect(later.read(Self.goOn + Self.md5) == .whole(asks: .md5))
    }

    @Test func lengthsThatCannotBeEndIt() {
        for length in [0, 3, 4, 7] {
            var watch = PostgresPasswordWatch()
            #expect(watch.read([UInt8(ascii: "R"), 0, 0, 0, UInt8(length), 0, 0, 0, 3]) == .whole(asks: nil))
            #expect(watch.isOver)
        }
        var long = PostgresPasswordWatch()
        #expect(long.read([UInt8(ascii: "R"), 255, 255, 255, 255, 0, 0, 0, 10]) == .whole(asks: .scram))
        #expect(long.read([UInt8](repeating: 82, count: 100)) == .whole(asks: nil))
    }

    // MARK: Pings

    private let bench = CheckBench()

    private func check(
        _ port: UInt16, tls: DatabaseServer.TLSMode = .disable, methods: Set<DatabaseServer.PasswordMethod>? = nil
    ) -> ServerCheck {
        bench.check(
            DatabaseServer(
                engine: .postgres, endpoint: .tcp(host: "127.0.0.1", port: port), user: "monitor",
                password: Secret("hunter2"), passwordMethods: methods, tls: tls))
    }

    enum Manner: CaseIterable {
        case whole, inBytes, behindSCRAM
    }

    @Test(arguments: [DatabaseServer.PasswordMethod.md5, .cleartext], Manner.allCases)
    func whoeverAsksInClearIsNotTold(_ method: DatabaseServer.PasswordMethod, _ manner: Manner) async throws {
        let (answers, answer) = AsyncStream<[UInt8]>.makeStream()
        let request = method == .md5 ? Self.md5 : Self.cleartext
        let server = FaultyServer { connection in
            connection.receivePostgresStartup()
            switch manner {
            case .whole: connection.send(request)
            case .inBytes: connection.dribble(request, every: 5)
            case .behindSCRAM: connection.send(Self.scram + request)
            }
            answer.yield(connection.receiveToEnd())
        }
        let failure = try await bench.failure(of: check(server.port))
        #expect(failure.reason == .authentication)
        #expect(failure.detail.contains("password_methods: [scram, \(method.rawValue)]"), "\(failure)")
        #expect(!failure.detail.contains("hunter2"))
        var iterator = answers.makeAsyncIterator()
        #expect(await iterator.next() == [])
    }

    @Test func whereItIsAllowedTheServerIsTold() async throws {
        let (answers, answer) = AsyncStream<[UInt8]>.makeStream()
        let server = FaultyServer { connection in
            connection.receivePostgresStartup()
            connection.dribble(Self.cleartext, every: 5)
            answer.yield(connection.receive(atLeast: 13))
            connection.sendPostgresWelcome()
            connection.receive()
            connection.sendPostgresRow()
            connection.sendPostgresEnd()
            connection.receiveToEnd()
        }
        #expect(await bench.outcome(of: check(server.port, methods: [.cleartext])) == nil)
        var iterator = answers.makeAsyncIterator()
        #expect(await iterator.next() == Connection.postgresMessage("p", Array("hunter2\u{0}".utf8)))
        let strict = try await bench.failure(of: check(server.port, methods: [.scram]))
        #expect(strict.detail.contains("which password_methods does not allow"))
    }

    @Test func whoIsVerifiedMayAskAsItLikes() {
        var server = DatabaseServer(engine: .postgres, endpoint: .tcp(host: "db", port: 5432))
        for tls in DatabaseServer.TLSMode.allCases {
            server.tls = tls
            #expect(server.mayAsk(.scram))
            #expect(server.mayAsk(.cleartext) == (tls == .verifyCA || tls == .verifyFull))
            #expect(server.mayAsk(.md5) == server.mayAsk(.cleartext))
        }
        server.endpoint = .unix(path: "/run/.s.PGSQL.5432")
        server.tls = .disable
        #expect(server.mayAsk(.md5))
        server.passwordMethods = [.scram]
        #expect(!server.mayAsk(.md5))
    }
}

import Dispatch
import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
import Testing

@testable import FailoverChecks

@Suite("Boundaries of sessions on real servers", .serialized, .enabled(if: Laboratory.isOpen), .sharedDatabases)
struct BoundaryLaboratoryTests {
    private let bench = CheckBench()

    /// The product's own sessions, in states that are boundaries.
    @Test(arguments: LaboratoryProduct.inLaboratory)
    func idleSessionsAreAttested(product: LaboratoryProduct) async throws {
        let check = product.check(bench)
        for statements in product.boundaries {
            let session = try await ClientSession.open(product, statements, bench.threads)
            #expect(await isAttested(session, by: check), "\(statements)")
        }
    }

    @Test(arguments: LaboratoryProduct.inLaboratory)
    func openTransactionsAndLocksAreNot(product: LaboratoryProduct) async throws {
        let check = product.check(bench)
        for statements in product.open {
            let session = try await ClientSession.open(product, statements, bench.threads)
            #expect(await isNeverAttested(session, by: check), "\(statements)")
        }
    }

    /// MariaDB's plugin does not show a transaction that has not touched a table. There is nothing to lose in it.
    @Test(arguments: LaboratoryProduct.inLaboratory.filter(\.needsPlugin))
    func thePluginDoesNotShowABeginAlone(product: LaboratoryProduct) async throws {
        let check = product.check(bench)
        for statements in product.openWithoutATable {
            let session = try await ClientSession.open(product, statements, bench.threads)
            #expect(await isAttested(session, by: check), "\(statements)")
        }
    }

    /// Exchanges that the client has not ended.
    @Test(.enabled(if: LaboratoryProduct.inLaboratory.contains(.postgres)), arguments: PostgresBytes.unfinished)
    func unfinishedExchangesOfPostgreSQLAreNot(bytes: PostgresBytes) async throws {
        let check = LaboratoryProduct.postgres.check(bench)
        let session = try await ClientSession.open(
            .postgres, ["PREPARE p AS SELECT * FROM pg_class"], sending: bytes.bytes, bench.threads)
        #expect(await isNeverAttested(session, by: check), "\(bytes)")
    }

    /// A cursor of the protocol: the statement is prepared, executed with a cursor, and one row is fetched or none.
    @Test(arguments: LaboratoryProduct.inLaboratory.filter(\.seesEvents), [false, true])
    func openCursorsOfMySQLAreNot(product: LaboratoryProduct, isFetched: Bool) async throws {
        try #require(product != .postgres || !isFetched)
        guard product != .postgres else { return }
        let check = product.check(bench)
        func packet(_ body: [UInt8]) -> [UInt8] { FaultyServerConnection.mysqlPacket(0, body) }
        var bytes = packet([0x16] + Array("SELECT * FROM boundary".utf8))
        bytes += packet([0x17, 1, 0, 0, 0, 1, 1, 0, 0, 0])
        if isFetched { bytes += packet([0x1c, 1, 0, 0, 0, 1, 0, 0, 0]) }
        let session = try await ClientSession.open(product, product.table, sending: bytes, bench.threads)
        #expect(await isNeverAttested(session, by: check))
    }

    @Test(arguments: LaboratoryProduct.inLaboratory)
    func aRunningStatementIsNot(product: LaboratoryProduct) async throws {
        let check = product.check(bench)
        // Oracle's library negotiates query attributes, which precede the query: none, in one set.
        let query: [UInt8] = MySQLConnection.isOfOracle ? [3, 0, 1] : [3]
        let bytes =
            product == .postgres
            ? FaultyServerConnection.postgresMessage("Q", Array("SELECT pg_sleep(60)\u{0}".utf8))
            : FaultyServerConnection.mysqlPacket(0, query + Array("SELECT SLEEP(60)".utf8))
        let session = try await ClientSession.open(product, [], sending: bytes, bench.threads)
        #expect(await isNeverAttested(session, by: check))
    }

    @Test(arguments: LaboratoryProduct.inLaboratory)
    func manySessionsAreAskedAtOnce(product: LaboratoryProduct) async throws {
        let check = product.check(bench)
        var (idle, busy): ([ClientSession], [ClientSession]) = ([], [])
        for _ in 1...8 {
            idle.append(try await .open(product, product.table, bench.threads))
            busy.append(try await .open(product, product.open[0], bench.threads))
        }
        let sources = (idle + busy).map(\.source)
        let expected = BoundaryAnswer.attested(Set(idle.map(\.source)))
        #expect(await eventually { await check.answer(for: sources) == expected })
    }

    /// The remedies are executed as they are.
    @Test(arguments: LaboratoryProduct.inLaboratory)
    func theRemedyOfAHiddenAnswerHelps(product: LaboratoryProduct) async throws {
        let user = "boundary_test"
        let creation = product == .postgres ? "CREATE ROLE \(user) LOGIN PASSWORD" : "CREATE USER \(user) IDENTIFIED BY"
        try product.administer("DROP USER IF EXISTS \(user)")
        try product.administer("\(creation) 'monitor-secret'")
        let check = product.check(bench, user: user, tls: .require)
        let session = try await ClientSession.open(product, [], bench.threads)
        let answer = await check.answer(for: [session.source])
        guard case .hidden(let remedy) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(remedy.contains(user) && remedy.contains("GRANT "), "\(remedy)")
        for statement in remedy.split(separator: ";") { try product.administer(String(statement)) }
        #expect(await isAttested(session, by: check))
        try product.administer("DROP USER \(user)")
    }

    @Test(arguments: LaboratoryProduct.inLaboratory.filter(\.needsPlugin))
    func withoutThePluginMariaDBHidesTheStates(product: LaboratoryProduct) async throws {
        let session = try await ClientSession.open(product, [], bench.threads)
        try product.administer("UNINSTALL SONAME 'metadata_lock_info'")
        let check = product.check(bench)
        let answer = await check.answer(for: [session.source])
        #expect(answer == .hidden(remedy: "INSTALL SONAME 'metadata_lock_info'"))
        try product.administer("INSTALL SONAME 'metadata_lock_info'")
        #expect(await isAttested(session, by: check))
    }

    @Test(arguments: LaboratoryProduct.inLaboratory)
    func aRotatedPasswordIsReadFromTheFile(product: LaboratoryProduct) async throws {
        let scratch = try Scratch()
        try scratch.write("monitor-secret\n", to: "password")
        var server = product.server()
        (server.password, server.passwordFile) = (Secret("the former one"), scratch.path("password"))
        server.tls = .require
        let check = product.check(bench, server)
        let session = try await ClientSession.open(product, [], bench.threads)
        #expect(await isAttested(session, by: check))
        try scratch.remove("password")
        #expect(await isAttested(session, by: check))
    }

    @Test(arguments: LaboratoryProduct.inLaboratory)
    func aWrongPasswordFailsWithoutIt(product: LaboratoryProduct) async throws {
        var server = product.server()
        server.password = Secret("hunter22")
        let answer = await product.check(bench, server).answer(for: [product.address])
        guard case .failed(let message) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(!message.contains("hunter22") && message.hasPrefix("127.0.0.1:"), "\(message)")
    }

    @Test(arguments: LaboratoryProduct.inLaboratory, [DatabaseServer.TLSMode.disable, .require, .verifyFull])
    func eachWayToLogInWorks(product: LaboratoryProduct, tls: DatabaseServer.TLSMode) async throws {
        var server = product.server()
        server.endpoint = .tcp(host: "localhost", port: product.port)
        (server.tls, server.tlsAuthorities) = (tls, tls == .verifyFull ? Laboratory.authorities : nil)
        let check = product.check(bench, server)
        let session = try await ClientSession.open(product, [], bench.threads)
        #expect(await isAttested(session, by: check))
    }

    private func isAttested(_ session: ClientSession, by check: BoundaryCheck) async -> Bool {
        await eventually(within: .seconds(20)) {
            await check.answer(for: [session.source]) == .attested([session.source])
        }
    }

    /// Once the server has read what the client has sent, it must not attest the session.
    private func isNeverAttested(_ session: ClientSession, by check: BoundaryCheck) async -> Bool {
        guard
            await eventually(
                within: .seconds(20), { await check.answer(for: [session.source]) == .attested([]) })
        else { return false }
        for _ in 1...5 where await check.answer(for: [session.source]) != .attested([]) { return false }
        return true
    }
}

/// A database server of the laboratory, by its product.
enum LaboratoryProduct: String, CaseIterable {
    case postgres, mariadb, mysql

    private static let engines = Laboratory.variable("LAB_ENGINES") ?? "postgres mariadb"
    static let inLaboratory = allCases.filter { product in
        engines.split(separator: " ").contains { $0 == product.rawValue }
    }

    var engine: DatabaseServer.Engine { self == .postgres ? .postgres : .mysql }

    var port: UInt16 {
        guard self == .mysql else { return Laboratory.port(engine) }
        return Laboratory.variable("LAB_MYSQL_PRIMARY_PORT").flatMap { UInt16($0) } ?? 13309
    }

    /// Whether the server shows transaction events. The laboratory's MariaDB does so in the one of today's servers.
    var seesEvents: Bool { self == .mysql || self == .mariadb && !needsPlugin }
    /// Whether the server shows locks by a plugin.
    var needsPlugin: Bool { self == .mariadb && !Self.inLaboratory.contains(.mysql) }

    var address: SocketAddress {
        SocketAddress(ip: [127, 0, 0, 1], port: port) ?? SocketAddress(bytes: [], description: "")
    }

    func server(user: String = "monitor") -> DatabaseServer {
        var server = Laboratory.server(engine, user: user)
        server.endpoint = .tcp(host: "127.0.0.1", port: port)
        return server
    }

    func check(_ bench: CheckBench, user: String = "monitor", tls: DatabaseServer.TLSMode = .prefer) -> BoundaryCheck {
        var server = server(user: user)
        server.tls = tls
        return check(bench, server)
    }

    func check(_ bench: CheckBench, _ server: DatabaseServer) -> BoundaryCheck {
        BoundaryCheck(server: server, address: address, threads: bench.threads)
    }

    /// Runs a statement as the server's administrator, through its socket.
    func administer(_ statement: String) throws {
        let directory = "\(Laboratory.variable("LAB_DIR") ?? "")/data/\(rawValue)-primary"
        let words =
            switch self {
            case .postgres:
                [
                    "psql", "-X", "-h", directory, "-p", "\(port)", "-U", "postgres", "-d", "app", "-c",
                    statement.replacing("USER IF EXISTS", with: "ROLE IF EXISTS"),
                ]
            case .mariadb, .mysql: [rawValue, "--no-defaults", "--socket", "\(directory)/socket", "-e", statement]
            }
        let command = Command(["/usr/bin/timeout", "240"] + words)
        let result = try ChildProcess.run(command, until: Deadline(.ample))
        try #require(result.succeeded, "\(statement): \(result.summary)")
    }

    var table: [String] { ["CREATE TABLE IF NOT EXISTS boundary (a INT)"] }
    private var select: String { "SELECT * FROM boundary" }

    /// Statements after which a session is at a boundary.
    var boundaries: [[String]] {
        let common = [[], [select], ["BEGIN", select, "COMMIT"], ["BEGIN", select, "ROLLBACK"]]
        let special =
            switch self {
            case .postgres:
                [
                    ["SELECT pg_advisory_lock(19)"], ["CREATE TEMPORARY TABLE t (a INT)"], ["PREPARE p AS \(select)"],
                    ["LISTEN l"], ["DECLARE c CURSOR WITH HOLD FOR \(select)"],
                ]
            case .mariadb, .mysql:
                [
                    ["SET autocommit = 0"], ["SET autocommit = 0", select, "COMMIT"],
                    ["CREATE TEMPORARY TABLE t (a INT)"], ["PREPARE p FROM '\(select)'"],
                    ["LOCK TABLES boundary WRITE", "UNLOCK TABLES"],
                    ["SELECT GET_LOCK('boundary', 60)", "SELECT RELEASE_LOCK('boundary')"],
                    ["HANDLER boundary OPEN", "HANDLER boundary CLOSE"],
                ]
            }
        return (common + special).map { table + $0 }
    }

    /// Statements after which it is not.
    var open: [[String]] {
        let common = [["BEGIN", select], ["BEGIN", "INSERT INTO boundary VALUES (1)"]]
        let special =
            switch self {
            case .postgres:
                [
                    ["BEGIN"], ["BEGIN READ ONLY"], ["BEGIN", "LOCK TABLE boundary"],
                    ["BEGIN", "SELECT no_such_column"],
                    ["BEGIN", "DECLARE c CURSOR FOR \(select)"],
                ]
            case .mariadb, .mysql:
                [
                    ["SET autocommit = 0", select], ["START TRANSACTION WITH CONSISTENT SNAPSHOT"],
                    ["BEGIN", "SELECT no_such_column FROM boundary"], ["LOCK TABLES boundary READ"],
                    ["LOCK TABLES boundary WRITE"], ["SELECT GET_LOCK('boundary', 60)"], ["HANDLER boundary OPEN"],
                    ["XA START 'b1'", select], ["XA START 'b2'", select, "XA END 'b2'"],
                    ["CREATE TEMPORARY TABLE t (a INT) ENGINE = InnoDB", "BEGIN", "INSERT INTO t VALUES (1)"],
                ]
            }
        return (common + special + (seesEvents ? openWithoutATable : [])).map { table + $0 }
    }

    /// Transactions that have not touched a table.
    var openWithoutATable: [[String]] {
        [
            ["BEGIN"], ["BEGIN", "SELECT 1"], ["START TRANSACTION READ ONLY"], ["BEGIN", "SAVEPOINT s"],
            ["BEGIN", "COMMIT AND CHAIN"], ["XA START 'b3'"],
        ]
    }
}

/// A session of a client, on a thread of its own. It ends with this object.
private final class ClientSession: Sendable {
    let source: SocketAddress
    private let end: DispatchSemaphore

    private init(source: SocketAddress, end: DispatchSemaphore) {
        self.source = source
        self.end = end
    }

    deinit { end.signal() }

    /// Logs in, runs the statements, whose failures do not matter, and sends the bytes.
    static func open(
        _ product: LaboratoryProduct, _ statements: [String], sending bytes: [UInt8] = [], _ threads: BlockingThreads
    ) async throws -> ClientSession {
        let opened = Promise<Result<SocketAddress, PingFailure>>()
        let end = DispatchSemaphore(value: 0)
        var server = product.server(user: "app")
        (server.password, server.databaseName, server.tls) = (Secret("app-secret"), "app", .disable)
        try threads.start { [server] in
            do throws(PingFailure) {
                try run(server, product, statements, bytes) {
                    opened.give(.success($0))
                    end.wait()
                }
            } catch { opened.give(.failure(error)) }
        }
        return ClientSession(source: try await opened.take(), end: end)
    }

    private static func run(
        _ server: DatabaseServer, _ product: LaboratoryProduct, _ statements: [String], _ bytes: [UInt8],
        _ use: (SocketAddress) -> Void
    ) throws(PingFailure) {
        let attempt = PingAttempt(
            address: product.address, peer: "server", deadline: Deadline(.ample), request: PingRequest(limit: .ample),
            progress: PingProgress(peer: "server", limit: .ample), secret: nil)
        let source: SocketAddress?
        switch server.engine {
        case .postgres:
            let driver = PostgresDriver(server: server)
            guard var connection = PostgresConnection(try PostgresParameters(server, attempt).list) else { return }
            try driver.logIn(&connection, attempt)
            for statement in statements {
                _ = try? driver.rows(of: PostgresQuestion(statement, called: "it"), &connection, attempt)
            }
            send(bytes, to: connection.descriptor)
            source = .local(of: connection.descriptor)
            if let source { use(source) }
        case .mysql, .tcp:
            let driver = MySQLDriver(server: server)
            guard var connection = MySQLConnection(attempt) else { return }
            try driver.logIn(&connection, attempt)
            for statement in statements { _ = try? driver.rows(of: statement, &connection, attempt) }
            send(bytes, to: connection.descriptor)
            source = connection.localAddress
            if let source { use(source) }
        }
    }

    private static func send(_ bytes: [UInt8], to descriptor: Int32) {
        guard !bytes.isEmpty else { return }
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}

/// Messages of PostgreSQL's extended protocol without a Sync, and of COPY.
struct PostgresBytes: CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]

    private init(_ description: String, _ messages: (Character, String)...) {
        testDescription = description
        bytes = messages.flatMap { FaultyServerConnection.postgresMessage($0.0, Array($0.1.utf8)) }
    }

    private static let bind = "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}"
    static let unfinished = [
        PostgresBytes("Parse", ("P", "\u{0}SELECT 1\u{0}\u{0}\u{0}"), ("H", "")),
        PostgresBytes("Describe", ("D", "Sp\u{0}"), ("H", "")),
        PostgresBytes(
            "Execute", ("P", "\u{0}SELECT 1\u{0}\u{0}\u{0}"), ("B", bind), ("E", "\u{0}\u{0}\u{0}\u{0}\u{0}"), ("H", "")
        ),
        PostgresBytes("BEGIN", ("Q", "BEGIN\u{0}")),
        PostgresBytes("COPY FROM", ("Q", "CREATE TEMPORARY TABLE t (a TEXT); COPY t FROM STDIN\u{0}")),
        PostgresBytes(
            "COPY TO", ("Q", "COPY (SELECT repeat('x', 100000) FROM generate_series(1, 10000)) TO STDOUT\u{0}")),
    ]
}

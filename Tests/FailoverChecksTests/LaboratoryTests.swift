import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverChecks

@Suite("Ping of real servers", .serialized, .enabled(if: Laboratory.isOpen), .sharedDatabases)
struct LaboratoryTests {
    static let databases: [DatabaseServer.Engine] = [.postgres, .mysql]

    let bench = CheckBench()

    @Test(arguments: databases)
    func serverIsUp(engine: DatabaseServer.Engine) async {
        #expect(await bench.outcome(of: bench.check(Laboratory.server(engine))) == nil)
    }

    @Test(
        arguments: [
            (DatabaseServer.Engine.postgres, "monitor"), (.postgres, "monitor_md5"), (.mysql, "monitor"),
            (.mysql, "monitor_ed25519"),
        ], [DatabaseServer.TLSMode.disable, .prefer, .require])
    func eachWayToLogInWorks(account: (DatabaseServer.Engine, String), tls: DatabaseServer.TLSMode) async {
        var server = Laboratory.server(account.0, user: account.1, tls: tls)
        if account.1 == "monitor_md5" { server.passwordMethods = [.scram, .md5] }
        #expect(await bench.outcome(of: bench.check(server)) == nil)
    }

    @Test(arguments: [DatabaseServer.TLSMode.disable, .prefer, .require])
    func whoAsksForAHashOfThePasswordMustBeVerifiedOrAllowed(tls: DatabaseServer.TLSMode) async throws {
        let server = Laboratory.server(.postgres, user: "monitor_md5", tls: tls)
        let failure = try await bench.failure(of: bench.check(server))
        #expect(failure.reason == .authentication)
        #expect(failure.detail.contains("password_methods: [scram, md5]"), "\(failure)")
        let verified = Laboratory.server(
            .postgres, host: "localhost", user: "monitor_md5", tls: .verifyFull, tlsAuthorities: Laboratory.authorities)
        #expect(await bench.outcome(of: bench.check(verified)) == nil)
    }

    @Test(arguments: databases, [DatabaseServer.TLSMode.require, .verifyCA, .verifyFull])
    func certificateOfTheAuthorityIsTrusted(engine: DatabaseServer.Engine, tls: DatabaseServer.TLSMode) async {
        for host in ["localhost", "127.0.0.1"] {
            let server = Laboratory.server(engine, host: host, tls: tls, tlsAuthorities: Laboratory.authorities)
            #expect(await bench.outcome(of: bench.check(server)) == nil)
        }
    }

    @Test(arguments: databases, [DatabaseServer.TLSMode.verifyCA, .verifyFull])
    func certificateOfAnotherAuthorityIsTLS(engine: DatabaseServer.Engine, tls: DatabaseServer.TLSMode) async throws {
        // The system's authorities do not include the laboratory's.
        let failure = try await bench.failure(of: bench.check(Laboratory.server(engine, host: "localhost", tls: tls)))
        #expect(failure.reason == .tls, "\(failure)")
    }

    @Test(arguments: [(DatabaseServer.Engine.postgres, "db.example"), (.mysql, "127.1")])
    func certificateForAnotherNameIsTLSOnlyForVerifyFull(engine: DatabaseServer.Engine, host: String) async throws {
        // The name must resolve to 127.0.0.1. MySQL's library looks it up itself, and 127.1 is the same address.
        let resolver = NameResolver(threads: bench.threads) { _ throws(PingFailure) in
            AddressList(literals: ["127.0.0.1"])
        }
        func check(_ tls: DatabaseServer.TLSMode) -> ServerCheck {
            ServerCheck(
                server: Laboratory.server(engine, host: host, tls: tls, tlsAuthorities: Laboratory.authorities),
                resolver: resolver, threads: bench.threads)
        }
        #expect(await bench.outcome(of: check(.verifyCA)) == nil)
        let failure = try await bench.failure(of: check(.verifyFull))
        #expect(failure.reason == .tls, "\(failure)")
    }

    @Test(arguments: databases, [DatabaseServer.TLSMode.disable, .prefer, .verifyFull])
    func theTLSOfAPingIsKnown(engine: DatabaseServer.Engine, tls: DatabaseServer.TLSMode) async {
        let authorities = tls == .verifyFull ? Laboratory.authorities : nil
        let server = Laboratory.server(engine, host: "localhost", tls: tls, tlsAuthorities: authorities)
        let check = bench.check(server)
        // The second ping runs on a thread that has had another session.
        for _ in 0..<2 {
            let answer = await check.answer(PingRequest(limit: .ample))
            #expect(answer.failure == nil)
            #expect(answer.tls?.version == (tls == .disable ? nil : "TLSv1.3"))
            #expect((answer.tls?.certificateEnds == nil) == (tls == .disable))
        }
    }

    @Test(arguments: databases)
    func missingAuthoritiesFailThePing(engine: DatabaseServer.Engine) async throws {
        let server = Laboratory.server(engine, tls: .verifyFull, tlsAuthorities: "/nonexistent.pem")
        let failure = try await bench.failure(of: bench.check(server))
        #expect(failure.reason == .tls || failure.reason == .local, "\(failure)")
    }

    @Test(arguments: databases, [DatabaseServer.TLSMode.disable, .prefer])
    func wrongPasswordIsAuthentication(engine: DatabaseServer.Engine, tls: DatabaseServer.TLSMode) async throws {
        let server = Laboratory.server(engine, password: Secret("hunter2"), tls: tls)
        let failure = try await bench.failure(of: bench.check(server))
        #expect(failure.reason == .authentication)
        #expect(!failure.detail.contains("hunter2"))
        #expect(failure.detail.hasPrefix("\(server.endpoint): "))
    }

    @Test(arguments: databases)
    func missingDatabaseIsAuthentication(engine: DatabaseServer.Engine) async throws {
        var server = Laboratory.server(engine)
        server.databaseName = "no_such_database"
        let failure = try await bench.failure(of: bench.check(server))
        #expect(failure.reason == .authentication, "\(failure)")
    }

    @Test(arguments: databases)
    func failedQueryIsQuery(engine: DatabaseServer.Engine) async throws {
        let server = Laboratory.server(engine, pingQuery: "SELECT * FROM no_such_table")
        let failure = try await bench.failure(of: bench.check(server))
        #expect(failure.reason == .query, "\(failure)")
    }

    @Test(arguments: [
        (DatabaseServer.Engine.postgres, "SELECT pg_sleep(600)"), (.mysql, "SELECT SLEEP(600)"),
        (.postgres, "SELECT 1; SELECT pg_sleep(600)"),
    ])
    func slowQueryTimesOut(engine: DatabaseServer.Engine, query: String) async throws {
        for tls in [DatabaseServer.TLSMode.disable, .require] {
            let server = Laboratory.server(engine, tls: tls, pingQuery: query)
            let failure = try await patiently {
                $0.reason == .timeout(.query)
            } _: { limit in
                try await bench.failure(of: bench.check(server), limit: limit)
            }
            #expect(failure.reason == .timeout(.query), "\(failure)")
        }
    }

    @Test(arguments: databases)
    func severalRowsAndStatementsWithoutRowsAreFine(engine: DatabaseServer.Engine) async {
        for query in ["SELECT 1 UNION SELECT 2", "DO 1", "SET application_name = 'x'", "SET @x = 1"]
        where query.hasPrefix("SELECT") || (query.hasPrefix("SET app") == (engine == .postgres) && query != "DO 1") {
            #expect(await bench.outcome(of: bench.check(Laboratory.server(engine, pingQuery: query))) == nil)
        }
    }

    @Test(arguments: databases)
    func primaryIsNoReplica(engine: DatabaseServer.Engine) async throws {
        #expect(await bench.outcome(of: bench.check(Laboratory.server(engine, role: .primary))) == nil)
        let failure = try await bench.failure(of: bench.check(Laboratory.server(engine, role: .replica)))
        #expect(failure.reason == .wrongRole)
        #expect(failure.detail.hasSuffix(": is a primary, not a replica: it was promoted"), "\(failure)")
    }

    @Test func whoMayNotAskMariaDBReadsWhatHelps() async throws {
        let server = Laboratory.server(.mysql, user: "monitor_ed25519", role: .replica)
        let failure = try await bench.failure(of: bench.check(server))
        #expect(failure.reason == .missingPrivilege)
        #expect(failure.detail.hasSuffix("GRANT REPLICA MONITOR ON *.* TO 'monitor_ed25519'@'%'"), "\(failure)")
        // Any user may run the other query.
        let asPrimary = Laboratory.server(.mysql, user: "monitor_ed25519", role: .primary)
        #expect(await bench.outcome(of: bench.check(asPrimary)) == nil)
    }

    @Test func thirtyPingsCountAsNoAbortedConnect() async throws {
        // The query fails with the number in its error message.
        let count = """
            SELECT EXTRACTVALUE(1, CONCAT(0x7e, (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS \
            WHERE VARIABLE_NAME = 'ABORTED_CONNECTS')))
            """
        let counting = bench.check(Laboratory.server(.mysql, pingQuery: count))
        let before = try await bench.failure(of: counting)
        try #require(before.detail.contains("~"), "\(before)")
        for tls in [DatabaseServer.TLSMode.disable, .require] {
            let check = bench.check(Laboratory.server(.mysql, tls: tls))
            for _ in 1...15 { #expect(await bench.outcome(of: check) == nil) }
        }
        #expect(try await bench.failure(of: counting) == before)
    }
}

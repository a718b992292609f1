import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverChecks

@Suite("The role query of a ping")
struct RoleTests {
    let bench = CheckBench()

    private func check(
        _ engine: DatabaseServer.Engine, _ role: DatabaseServer.Role, at server: FaultyServer
    ) -> ServerCheck {
        bench.check(
            DatabaseServer(
                engine: engine, endpoint: .tcp(host: "127.0.0.1", port: server.port), user: "the \"monitor\"",
                tls: .disable, role: role))
    }

    @Test func postgresIsAReplicaWhileItRecovers() {
        #expect(PostgresRole.answer(in: [["t"]]) == .replica)
        #expect(PostgresRole.answer(in: [["f"]]) == .primary)
        for nonsense in [[], [[]], [[nil]], [["1"]], [["t"], ["t"]], [["t", "f"]]] {
            #expect(PostgresRole.answer(in: nonsense) == nil)
        }
    }

    @Test func silenceAfterThePingQueryIsNoDeath() async throws {
        let postgres = FaultyServer {
            $0.receivePostgresStartup()
            $0.sendPostgresWelcome()
            $0.receive()
            $0.sendPostgresRow()
            $0.sendPostgresEnd()
            $0.holdOpen()
        }
        let mysql = FaultyServer {
            guard $0.acceptMySQLLogin() else { return }
            _ = $0.receiveMySQLPacket()
            $0.sendMySQLColumns()
            $0.sendMySQLRow()
            $0.holdOpen()
        }
        for check in [check(.postgres, .replica, at: postgres), check(.mysql, .primary, at: mysql)] {
            let failure = try await patiently {
                $0.reason == .timeout(.question)
            } _: { limit in
                try await bench.failure(of: check, limit: limit)
            }
            #expect(failure.reason == .timeout(.question), "\(failure)")
            #expect(failure.kind == .refusal)
        }
    }

    @Test func whatIsNoAnswerIsAProtocolViolation() async throws {
        let postgres = FaultyServer {
            $0.receivePostgresStartup()
            $0.sendPostgresWelcome()
            for _ in 1...2 {
                $0.receive()
                $0.sendPostgresRow()
                $0.sendPostgresEnd()
            }
            $0.receiveToEnd()
        }
        let mysql = FaultyServer {
            guard $0.acceptMySQLLogin() else { return }
            while $0.receiveMySQLPacket()?.first == 3 {
                $0.sendMySQLColumns()
                $0.sendMySQLRow()
            }
        }
        for check in [check(.postgres, .primary, at: postgres), check(.mysql, .replica, at: mysql)] {
            let failure = try await bench.failure(of: check)
            #expect(failure.reason == .protocolViolation, "\(failure)")
        }
    }

    @Test func floodInPlaceOfTheAnswerIsCutOff() async throws {
        let server = FaultyServer {
            guard $0.acceptMySQLLogin(), $0.receiveMySQLPacket() != nil else { return }
            $0.sendMySQLColumns()
            $0.sendMySQLRow()
            guard $0.receiveMySQLPacket() != nil else { return }
            $0.sendMySQLColumns()
            let value = [0xfc, 0xff, 0x7f] + [UInt8](repeating: 65, count: 0x7fff)
            var sequence: UInt8 = 4
            while $0.send(FaultyServerConnection.mysqlPacket(sequence, value)) { sequence &+= 1 }
        }
        let failure = try await bench.failure(of: check(.mysql, .replica, at: server))
        #expect(failure.reason == .unanswered, "\(failure)")
    }

    @Test func whoMayNotAskReadsWhatHelps() async throws {
        let server = FaultyServer {
            $0.receivePostgresStartup()
            $0.sendPostgresWelcome()
            $0.receive()
            $0.sendPostgresRow()
            $0.sendPostgresEnd()
            $0.receive()
            $0.sendPostgresError("42501", "permission denied for function pg_is_in_recovery", severity: "ERROR")
            $0.sendPostgres("Z", Array("I".utf8))
            $0.receiveToEnd()
        }
        let failure = try await bench.failure(of: check(.postgres, .replica, at: server))
        #expect(failure.reason == .missingPrivilege)
        let message = """
            127.0.0.1:\(server.port): ERROR: permission denied for function pg_is_in_recovery; grant it with: \
            GRANT EXECUTE ON FUNCTION pg_catalog.pg_is_in_recovery() TO "the ""monitor\"""
            """
        #expect(failure.detail == message)
    }
}

@Suite("Role and replication in one query")
struct RoleAndReplicationTests {
    let bench = CheckBench()

    private func check(_ role: DatabaseServer.Role, at server: FaultyServer) -> ServerCheck {
        bench.check(
            DatabaseServer(
                engine: .postgres, endpoint: .tcp(host: "127.0.0.1", port: server.port), user: "monitor", tls: .disable,
                role: role, replication: ReplicationPolicy(maxLag: .seconds(10))))
    }

    /// Answers the ping query, and one more query as given. The client must then close.
    private func server(_ answer: @escaping @Sendable (FaultyServerConnection) -> Void) -> FaultyServer {
        FaultyServer {
            $0.receivePostgresStartup()
            $0.sendPostgresWelcome()
            $0.receive()
            $0.sendPostgresRow()
            $0.sendPostgresEnd()
            $0.receive()
            answer($0)
            $0.receiveToEnd()
        }
    }

    @Test func postgresIsAskedOnce() async throws {
        let replica = server {
            $0.sendPostgresRow(["t", "t", "streaming", "f", "300", "300", "1.5", "0"])
            $0.sendPostgresEnd()
        }
        let primary = server {
            $0.sendPostgresRow(["f", "f", nil, nil, nil, nil, nil, nil])
            $0.sendPostgresEnd()
        }
        #expect(await bench.outcome(of: check(.replica, at: replica)) == nil)
        let promoted = try await bench.failure(of: check(.replica, at: primary))
        #expect(promoted.reason == .wrongRole, "\(promoted)")
        #expect(try await bench.failure(of: check(.primary, at: replica)).reason == .wrongRole)
    }

    @Test(arguments: [
        (
            "permission denied for function pg_is_in_recovery",
            "GRANT EXECUTE ON FUNCTION pg_catalog.pg_is_in_recovery() TO \"monitor\""
        ),
        ("permission denied for view pg_stat_wal_receiver", "GRANT pg_read_all_stats TO \"monitor\""),
    ])
    func whoMayNotAskReadsWhatHelps(refusal: String, grant: String) async throws {
        let server = server {
            $0.sendPostgresError("42501", refusal, severity: "ERROR")
            $0.sendPostgres("Z", Array("I".utf8))
        }
        let failure = try await bench.failure(of: check(.replica, at: server))
        #expect(failure.reason == .missingPrivilege)
        #expect(failure.detail == "127.0.0.1:\(server.port): ERROR: \(refusal); grant it with: \(grant)")
    }
}

@Suite("Role of a MySQL or MariaDB server")
struct MySQLRoleTests {
    private func role(_ version: String, readOnly: String = "0", account: String = "monitor@%") -> MySQLRole? {
        MySQLRole([["read_only": readOnly, "version": version, "account": account]])
    }

    @Test(arguments: [("0", false), ("OFF", false), ("1", true), ("ON", true), ("NO_LOCK_NO_ADMIN", true)])
    func everyWordForReadOnlyIsKnown(value: String, isReadOnly: Bool) {
        #expect(role("8.0.36", readOnly: value)?.isReadOnly == isReadOnly)
    }

    @Test func whatIsNoAnswerHasNoRole() {
        #expect(MySQLRole([]) == nil)
        #expect(MySQLRole([["version": "8.0.36"]]) == nil)
    }

    @Test(arguments: [
        ("10.11.6-MariaDB-0+deb12u1-log", "SHOW ALL SLAVES STATUS", "REPLICA MONITOR"),
        ("10.4.34-MariaDB", "SHOW ALL SLAVES STATUS", "REPLICATION CLIENT"),
        ("11.8.2-MariaDB", "SHOW ALL SLAVES STATUS", "REPLICA MONITOR"),
        ("8.4.0", "SHOW REPLICA STATUS", "REPLICATION CLIENT"),
        ("8.0.22-13-debug", "SHOW REPLICA STATUS", "REPLICATION CLIENT"),
        ("8.0.21", "SHOW SLAVE STATUS", "REPLICATION CLIENT"),
        ("5.7.44-log", "SHOW SLAVE STATUS", "REPLICATION CLIENT"),
        ("nonsense", "SHOW SLAVE STATUS", "REPLICATION CLIENT"),
    ])
    func eachVersionIsAskedInItsOwnWords(version: String, question: String, privilege: String) {
        let role = role(version)
        #expect(role?.version.channelQuestion == question)
        #expect(role?.grant == "GRANT \(privilege) ON *.* TO 'monitor'@'%'")
    }

    @Test func accountWithAnAtSignIsQuotedAsAWhole() {
        #expect(role("8.4.0", account: "a@b@10.0.0.1")?.grant == "GRANT REPLICATION CLIENT ON *.* TO 'a@b'@'10.0.0.1'")
    }
}

import FailoverChecks
import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
import Testing

@Suite("PostgreSQL ping, one fault each")
struct PostgresFaultTests {
    let bench = CheckBench()

    @Test func nobodyListensIsRefused() async throws {
        let port = UnusedPort()
        let failure = try await bench.failure(of: bench.check(.postgres, port: port.port))
        #expect(failure.reason == .refused)
        #expect(failure.detail == "127.0.0.1:\(port.port): Connection refused")
    }

    @Test func swallowedPacketsTimeOutWhileConnecting() async throws {
        let server = SwallowingServer()
        try await bench.expectTimeout(.connecting, .postgres, port: server.port)
    }

    @Test func silenceTimesOutWhileLoggingIn() async throws {
        try await bench.expectTimeout(.login, .postgres) { $0.holdOpen() }
    }

    @Test func silenceAfterTLSRequestTimesOut() async throws {
        try await bench.expectTimeout(.login, .postgres, tls: .prefer) { $0.holdOpen() }
    }

    @Test func silenceInTheTLSHandshakeTimesOut() async throws {
        try await bench.expectTimeout(.login, .postgres, tls: .require) {
            $0.receive(atLeast: 8)
            $0.send(Array("S".utf8))
            $0.holdOpen()
        }
    }

    @Test func halfAnAuthenticationMessageTimesOut() async throws {
        try await bench.expectTimeout(.login, .postgres) {
            $0.receivePostgresStartup()
            $0.send([UInt8(ascii: "R"), 0, 0, 0])
            $0.holdOpen()
        }
    }

    @Test func dribblingDoesNotOutliveTheLimit() async throws {
        try await bench.expectTimeout(.login, .postgres) {
            $0.receivePostgresStartup()
            $0.dribble(FaultyServerConnection.postgresMessage("E", [UInt8](repeating: 65, count: 20000)), every: 20)
        }
    }

    @Test func closingAtOnceIsDisconnected() async throws {
        let failure = try await bench.failure(.postgres) { $0.close() }
        #expect(failure.reason == .disconnected)
    }

    @Test func closingAfterTheStartupMessageIsDisconnected() async throws {
        let failure = try await bench.failure(.postgres) { $0.receivePostgresStartup() }
        #expect(failure.reason == .disconnected)
    }

    @Test func resetIsDisconnected() async throws {
        let failure = try await bench.failure(.postgres) {
            $0.receivePostgresStartup()
            $0.reset()
        }
        #expect(failure.reason == .disconnected)
    }

    @Test(arguments: [DatabaseServer.TLSMode.disable, .prefer, .require])
    func garbageIsAProtocolViolation(tls: DatabaseServer.TLSMode) async throws {
        let failure = try await bench.failure(.postgres, tls: tls) {
            $0.receive()
            $0.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
            $0.receiveToEnd()
        }
        #expect(failure.reason == .protocolViolation)
    }

    @Test(arguments: [
        ("57P03", "the database system is starting up", PingFailure.Reason.startingUp),
        ("57P03", "the database system is shutting down", .shuttingDown),
        ("57P01", "terminating connection due to administrator command", .shuttingDown),
        ("57P02", "terminating connection because of crash of another server process", .shuttingDown),
        ("53300", "sorry, too many clients already", .tooManyConnections),
        ("53200", "out of memory", .tooManyConnections),
        ("28P01", "password authentication failed for user \"monitor\"", .authentication),
        ("28000", "no pg_hba.conf entry for host \"127.0.0.1\"", .authentication),
        ("3D000", "database \"monitor\" does not exist", .authentication),
        ("53300", "too many connections for role \"monitor\"", .userLimit),
        (
            "53300", "remaining connection slots are reserved for roles with the SUPERUSER attribute",
            .tooManyConnections
        ),
        ("53300", "too many connections for database \"app\"", .tooManyConnections),
        ("22023", "invalid value for parameter \"client_encoding\"", .authentication),
        ("57014", "canceling authentication due to timeout", .unanswered),
        ("58P01", "could not open file \"global/pg_filenode.map\"", .other), ("XX000", "lost", .other),
        ("08P01", "no more connections allowed (max_client_conn)", .tooManyConnections),
        ("08P01", "password authentication failed", .authentication),
        ("08P01", "no such user: monitor", .authentication),
        ("08P01", "no such database: app", .authentication),
        ("08P01", "server login has been failing, try again later (server_login_retry)", .other),
        ("08P01", "client_login_timeout (server down)", .other), ("08P01", "bouncer config error", .other),
        ("08P01", "database \"app\" is disabled", .other),
        ("08P01", "client connections exceeded (max_user_client_connections)", .userLimit),
        ("08P01", "client connections exceeded (max_db_client_connections)", .tooManyConnections),
        (
            "08P01",
            "server login has been failing, cached error: FATAL: sorry, too many clients already (server_login_retry)",
            .tooManyConnections
        ),
        (
            "08P01",
            "server login has been failing, cached error: FATAL: password authentication failed for user \"m\" (s)",
            .authentication
        ),
        ("08P01", "server login has been failing, cached error: connect failed (server_login_retry)", .other),
        ("08P01", "unsupported startup parameter: extra_float_digits", .authentication),
    ])
    func errorsAtLoginHaveTheirReason(code: String, message: String, reason: PingFailure.Reason) async throws {
        let server = FaultyServer {
            $0.receivePostgresStartup()
            $0.sendPostgresError(code, message)
            $0.receiveToEnd()
        }
        for tls in [DatabaseServer.TLSMode.disable, .prefer] {
            let failure = try await bench.failure(of: bench.check(.postgres, port: server.port, tls: tls))
            #expect(failure.reason == reason)
            #expect(failure.detail == "127.0.0.1:\(server.port): FATAL: \(message)")
        }
    }

    /// `report_fork_failure_to_client`: an error in the old format. After a TLS request, libpq does not recognize it
    /// as part of the protocol.
    @Test(arguments: [DatabaseServer.TLSMode.disable, .prefer, .require], [ENOMEM, EAGAIN])
    func aServerThatCannotForkIsFull(tls: DatabaseServer.TLSMode, error: Int32) async throws {
        let message = "could not fork new process for connection: \(SystemError(error).message)"
        let failure = try await bench.failure(.postgres, tls: tls) {
            $0.receive()
            $0.send(Array("E\(message)\n\u{0}".utf8))
        }
        #expect(failure.reason == .tooManyConnections, "\(failure)")
    }

    @Test(arguments: [
        ("57014", "canceling statement due to statement timeout", PingFailure.Reason.unanswered),
        ("55P03", "canceling statement due to lock timeout", .unanswered),
        ("40001", "canceling statement due to conflict with recovery", .unanswered),
        ("54001", "stack depth limit exceeded", .unanswered), ("22012", "division by zero", .query),
    ])
    func aQueryThatAServerBreaksOffIsUnanswered(code: String, message: String, reason: PingFailure.Reason) async throws
    {
        let failure = try await bench.failure(.postgres) {
            $0.receivePostgresStartup()
            $0.sendPostgresWelcome()
            $0.receive()
            $0.sendPostgresError(code, message, severity: "ERROR")
            $0.sendPostgres("Z", Array("I".utf8))
            $0.receiveToEnd()
        }
        #expect(failure.reason == reason, "\(failure)")
    }

    @Test func serverWithoutTLSFailsWhereItIsRequired() async throws {
        let failure = try await bench.failure(.postgres, tls: .require) { $0.receivePostgresStartup() }
        #expect(failure.reason == .tls)
    }

    @Test func passwordAskedForButNotConfiguredIsAuthentication() async throws {
        let failure = try await bench.failure(.postgres) {
            $0.receivePostgresStartup()
            $0.sendPostgres("R", [0, 0, 0, 3])
            $0.receiveToEnd()
        }
        #expect(failure.reason == .authentication)
    }

    @Test func failedQueryIsQuery() async throws {
        let failure = try await bench.failure(.postgres) {
            $0.receivePostgresStartup()
            $0.sendPostgresWelcome()
            $0.receive()
            $0.sendPostgresError("42P01", "relation \"heartbeat\" does not exist", severity: "ERROR")
            $0.sendPostgres("Z", Array("I".utf8))
            $0.receiveToEnd()
        }
        #expect(failure.reason == .query)
        #expect(failure.detail.hasSuffix(": ERROR: relation \"heartbeat\" does not exist"))
    }

    @Test func shutdownDuringTheQueryIsShuttingDown() async throws {
        let failure = try await bench.failure(.postgres) {
            $0.receivePostgresStartup()
            $0.sendPostgresWelcome()
            $0.receive()
            $0.sendPostgresError("57P01", "terminating connection due to administrator command")
        }
        #expect(failure.reason == .shuttingDown)
    }

    @Test func silenceInTheMiddleOfAResultTimesOut() async throws {
        try await bench.expectTimeout(.query, .postgres) {
            $0.receivePostgresStartup()
            $0.sendPostgresWelcome()
            $0.receive()
            $0.sendPostgresRow()
            $0.holdOpen()
        }
    }

    @Test func closingInTheMiddleOfAResultIsDisconnected() async throws {
        let failure = try await bench.failure(.postgres) {
            $0.receivePostgresStartup()
            $0.sendPostgresWelcome()
            $0.receive()
            $0.sendPostgresRow()
        }
        #expect(failure.reason == .disconnected)
    }

    @Test func floodOfRowsIsCutOff() async throws {
        let failure = try await bench.failure(.postgres) {
            $0.receivePostgresStartup()
            $0.sendPostgresWelcome()
            $0.receive()
            $0.sendPostgresRow()
            let row = FaultyServerConnection.postgresMessage("D", [0, 1, 0, 0, 0, 1, 49])
            while $0.send([[UInt8]](repeating: row, count: 4096).flatMap { $0 }) {}
        }
        #expect(failure.reason == .query)
    }

    /// The maximum number of bytes that may be read of a flood. Bytes in the kernel's buffers of both sides are not
    /// included.
    private static let mostSent = 32 << 20

    enum Flood: CaseIterable {
        case error, oldError, notice, parameters
    }

    @Test(arguments: Flood.allCases)
    func aFloodWhileItIsLoggedInToIsCutOff(_ flood: Flood) async throws {
        let (sizes, size) = AsyncStream<Int>.makeStream()
        let failure = try await bench.failure(.postgres) { connection in
            connection.receivePostgresStartup()
            let block = [UInt8](repeating: 65, count: 64 << 10)
            switch flood {
            case .error: connection.send([UInt8(ascii: "E"), 0, 0, 0x75, 0])
            // 200 MB.
            case .oldError: connection.send([UInt8(ascii: "E"), 0x0c, 0, 0, 0])
            case .notice:
                connection.sendPostgres("R", [0, 0, 0, 0])
                connection.send([UInt8(ascii: "N"), 0x0c, 0, 0, 0, UInt8(ascii: "M")])
            case .parameters: connection.sendPostgres("R", [0, 0, 0, 0])
            }
            let parameter = FaultyServerConnection.postgresMessage("S", Array("a\u{0}b\u{0}".utf8))
            let piece = flood == .parameters ? (0..<4096).flatMap { _ in parameter } : block
            var sent = 0
            while sent <= Self.mostSent, connection.send(piece) { sent += piece.count }
            size.yield(sent)
        }
        #expect(flood == .error || failure.reason == .protocolViolation, "\(failure)")
        var iterator = sizes.makeAsyncIterator()
        #expect(await iterator.next() ?? .max <= Self.mostSent)
    }

    @Test func passwordThatAServerRepeatsIsHidden() async throws {
        let failure = try await bench.failure(.postgres, password: Secret("hunter2")) {
            $0.receivePostgresStartup()
            $0.sendPostgresError("28P01", "no, not hunter2\nand not\u{1b}[31m hunter2")
            $0.receiveToEnd()
        }
        #expect(failure.detail.hasSuffix("FATAL: no, not (hidden) and not [31m (hidden)"))
    }

    @Test func goodServerIsLeftWithAGoodbye() async throws {
        let (goodbyes, goodbye) = AsyncStream<[UInt8]>.makeStream()
        let server = FaultyServer {
            $0.receivePostgresStartup()
            $0.sendPostgresWelcome()
            $0.receive()
            $0.sendPostgresRow()
            $0.sendPostgresEnd()
            goodbye.yield($0.receiveToEnd())
        }
        try await bench.check(.postgres, port: server.port).ping(limit: .ample)
        var iterator = goodbyes.makeAsyncIterator()
        #expect(await iterator.next() == [UInt8(ascii: "X"), 0, 0, 0, 4])
        #expect(server.connections == 1)
    }
}

import FailoverChecks
import FailoverCore
import FailoverTesting
import Testing

@Suite("MySQL ping, one fault each")
struct MySQLFaultTests {
    let bench = CheckBench()

    @Test func nobodyListensIsRefused() async throws {
        let port = UnusedPort()
        let failure = try await bench.failure(of: bench.check(.mysql, port: port.port))
        #expect(failure.reason == .refused)
        #expect(failure.detail == "127.0.0.1:\(port.port): Connection refused")
    }

    @Test func swallowedPacketsTimeOutWhileConnecting() async throws {
        let server = SwallowingServer()
        try await bench.expectTimeout(.connecting, .mysql, port: server.port)
    }

    @Test func silenceTimesOutWhileLoggingIn() async throws {
        try await bench.expectTimeout(.login, .mysql) { $0.holdOpen() }
    }

    @Test func halfAGreetingTimesOut() async throws {
        try await bench.expectTimeout(.login, .mysql) {
            $0.send(Array(FaultyServerConnection.mysqlGreeting().prefix(20)))
            $0.holdOpen()
        }
    }

    @Test func silenceAfterTheLoginPacketTimesOut() async throws {
        try await bench.expectTimeout(.login, .mysql) {
            $0.send(FaultyServerConnection.mysqlGreeting())
            $0.holdOpen()
        }
    }

    @Test(arguments: [DatabaseServer.TLSMode.prefer, .require, .verifyFull])
    func silenceInTheTLSHandshakeTimesOut(tls: DatabaseServer.TLSMode) async throws {
        try await bench.expectTimeout(.login, .mysql, tls: tls) {
            $0.send(FaultyServerConnection.mysqlGreeting(offersTLS: true))
            $0.holdOpen()
        }
    }

    @Test func dribblingInTheTLSHandshakeDoesNotOutliveTheLimit() async throws {
        try await bench.expectTimeout(.login, .mysql, tls: .require) {
            $0.send(FaultyServerConnection.mysqlGreeting(offersTLS: true))
            $0.receive(atLeast: 36)
            // A handshake record that arrives byte by byte.
            $0.dribble([22, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc] + [UInt8](repeating: 3, count: 5000), every: 20)
        }
    }

    @Test func dribblingDoesNotOutliveTheLimit() async throws {
        try await bench.expectTimeout(.login, .mysql) {
            $0.dribble(FaultyServerConnection.mysqlPacket(0, [10] + [UInt8](repeating: 65, count: 20000)), every: 20)
        }
    }

    @Test func closingAtOnceIsDisconnected() async throws {
        let failure = try await bench.failure(.mysql) { $0.close() }
        #expect(failure.reason == .disconnected)
    }

    @Test func closingAfterTheLoginPacketIsDisconnected() async throws {
        let failure = try await bench.failure(.mysql) {
            $0.send(FaultyServerConnection.mysqlGreeting())
            _ = $0.receiveMySQLPacket()
        }
        #expect(failure.reason == .disconnected)
    }

    @Test func resetIsDisconnected() async throws {
        let failure = try await bench.failure(.mysql) {
            $0.send(FaultyServerConnection.mysqlGreeting())
            _ = $0.receiveMySQLPacket()
            $0.reset()
        }
        #expect(failure.reason == .disconnected)
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "\u{5}\u{0}\u{0}\u{0}\u{9}abcd", "\u{3}\u{0}\u{0}\u{0}zzz"])
    func garbageIsAProtocolViolation(bytes: String) async throws {
        let failure = try await bench.failure(.mysql) {
            $0.send(Array(bytes.utf8))
            $0.receiveToEnd()
        }
        #expect(failure.reason == .protocolViolation, "\(failure)")
    }

    @Test(arguments: [
        (UInt16(1040), "Too many connections", PingFailure.Reason.tooManyConnections),
        (1135, "Can't create a new thread", .tooManyConnections), (4150, "User is blocked", .authentication),
        (1129, "Host '127.0.0.1' is blocked because of many connection errors", .hostBlocked),
        (1130, "Host '127.0.0.1' is not allowed to connect to this server", .hostBlocked),
        (1053, "Server shutdown in progress", .shuttingDown), (1203, "User already has more than", .userLimit),
        (1226, "User has exceeded the 'max_user_connections' resource", .userLimit),
    ])
    func errorsInPlaceOfTheGreetingHaveTheirReason(
        code: UInt16, message: String, reason: PingFailure.Reason
    ) async throws {
        // A failing server may number the packet as if it answered one.
        for (tls, sequence) in [
            (DatabaseServer.TLSMode.disable, 0 as UInt8), (.disable, 1), (.prefer, 0), (.verifyFull, 0),
        ] {
            let server = FaultyServer {
                $0.sendMySQLError(code, message, sequence: sequence)
                $0.receiveToEnd()
            }
            let failure = try await bench.failure(of: bench.check(.mysql, port: server.port, tls: tls))
            #expect(failure.reason == reason)
            #expect(failure.detail == "127.0.0.1:\(server.port): \(code): \(message)")
        }
    }

    @Test(arguments: [UInt16(1045), 1044, 1049, 1698])
    func errorsAtLoginAreAuthentication(code: UInt16) async throws {
        let failure = try await bench.failure(.mysql, password: Secret("hunter2")) {
            $0.send(FaultyServerConnection.mysqlGreeting())
            _ = $0.receiveMySQLPacket()
            $0.sendMySQLError(code, "not with hunter2", sequence: 2, sqlState: "28000")
            $0.receiveToEnd()
        }
        #expect(failure.reason == .authentication)
        #expect(failure.detail.hasSuffix(": \(code): not with (hidden)"))
    }

    /// A library that has freed a large buffer must not read in it.
    @Test(arguments: ["mysql_native_password", "caching_sha2_password"])
    func closingAfterALongGreetingAndTheLoginIsDisconnected(plugin: String) async throws {
        let failure = try await bench.failure(.mysql, password: Secret("hunter2")) {
            $0.send(
                FaultyServerConnection.mysqlGreeting(plugin: plugin, version: String(repeating: "8", count: 300_000)))
            _ = $0.receiveMySQLPacket()
        }
        #expect([.disconnected, .protocolViolation].contains(failure.reason), "\(failure)")
    }

    @Test func passwordIsNotSentInClearText() async throws {
        let (answers, answer) = AsyncStream<[UInt8]>.makeStream()
        let failure = try await bench.failure(.mysql, password: Secret("hunter2")) {
            $0.send(FaultyServerConnection.mysqlGreeting())
            _ = $0.receiveMySQLPacket()
            $0.send(FaultyServerConnection.mysqlPacket(2, [0xfe] + Array("mysql_clear_password\u{0}".utf8)))
            answer.yield($0.receiveToEnd())
        }
        #expect(failure.reason == .authentication)
        var iterator = answers.makeAsyncIterator()
        #expect(await iterator.next() == [])
    }

    @Test func localFileIsNotSent() async throws {
        let (answers, answer) = AsyncStream<[UInt8]>.makeStream()
        _ = try await bench.failure(.mysql) {
            guard $0.acceptMySQLLogin() else { return }
            _ = $0.receiveMySQLPacket()
            $0.send(FaultyServerConnection.mysqlPacket(1, [0xfb] + Array("/etc/hostname".utf8)))
            answer.yield($0.receiveMySQLPacket() ?? [])
        }
        var iterator = answers.makeAsyncIterator()
        let sent = await iterator.next()
        // Oracle's library may say goodbye.
        #expect(sent == [] || (MySQLConnection.isOfOracle && sent == [1]))
    }

    @Test(arguments: [DatabaseServer.TLSMode.require, .verifyCA, .verifyFull])
    func serverWithoutTLSFailsWhereItIsRequired(tls: DatabaseServer.TLSMode) async throws {
        let failure = try await bench.failure(.mysql, tls: tls) {
            guard $0.acceptMySQLLogin() else { return }
            $0.receiveToEnd()
        }
        #expect(failure.reason == .tls)
    }

    @Test(arguments: [UInt16(1205), 1213, 1317, 1969, 3024])
    func aQueryThatAServerBreaksOffIsUnanswered(code: UInt16) async throws {
        let failure = try await bench.failure(.mysql) {
            guard $0.acceptMySQLLogin() else { return }
            _ = $0.receiveMySQLPacket()
            $0.sendMySQLError(code, "broken off", sequence: 1, sqlState: "HY000")
            $0.receiveToEnd()
        }
        #expect(failure.reason == .unanswered)
    }

    @Test func failedQueryIsQuery() async throws {
        let failure = try await bench.failure(.mysql) {
            guard $0.acceptMySQLLogin() else { return }
            _ = $0.receiveMySQLPacket()
            $0.sendMySQLError(1146, "Table 'app.heartbeat' doesn't exist", sequence: 1, sqlState: "42S02")
            $0.receiveToEnd()
        }
        #expect(failure.reason == .query)
        #expect(failure.detail.hasSuffix(": 1146: Table 'app.heartbeat' doesn't exist"))
    }

    @Test func silenceInTheMiddleOfAResultTimesOut() async throws {
        try await bench.expectTimeout(.query, .mysql) {
            guard $0.acceptMySQLLogin() else { return }
            _ = $0.receiveMySQLPacket()
            $0.sendMySQLColumns()
            $0.holdOpen()
        }
    }

    @Test func closingInTheMiddleOfAResultIsDisconnected() async throws {
        let failure = try await bench.failure(.mysql) {
            guard $0.acceptMySQLLogin() else { return }
            _ = $0.receiveMySQLPacket()
            $0.sendMySQLColumns()
        }
        #expect(failure.reason == .disconnected, "\(failure)")
    }

    @Test func floodOfRowsIsCutOff() async throws {
        let failure = try await bench.failure(.mysql) {
            guard $0.acceptMySQLLogin() else { return }
            _ = $0.receiveMySQLPacket()
            $0.sendMySQLColumns()
            let rows = (0...255).flatMap { FaultyServerConnection.mysqlPacket(UInt8(($0 + 4) & 255), [1, 49]) }
            while $0.send(rows) {}
        }
        #expect(failure.reason == .query)
    }

    /// The maximum number of bytes that may be read of a flood. Bytes in the kernel's buffers of both sides are not
    /// included.
    private static let mostSent = 32 << 20

    enum Flood: CaseIterable {
        case greeting, questions, columns, columnNames
    }

    @Test(arguments: Flood.allCases)
    func aFloodOfAnyKindIsCutOff(_ flood: Flood) async throws {
        let (sizes, size) = AsyncStream<Int>.makeStream()
        let failure = try await bench.failure(.mysql, password: Secret("hunter2")) { connection in
            let block = [UInt8](repeating: 1, count: 64 << 10)
            let head: [UInt8]
            let piece: [UInt8]
            switch flood {
            case .greeting: (head, piece) = ([0xff, 0xff, 0xff, 0, 10], block)
            case .questions:
                connection.send(FaultyServerConnection.mysqlGreeting())
                _ = connection.receiveMySQLPacket()
                let name = Array("mysql_native_password\u{0}".utf8)
                (head, piece) = ([0xff, 0xff, 0xff, 2, 0xfe] + name, block)
            case .columns, .columnNames:
                guard connection.acceptMySQLLogin() else { return }
                _ = connection.receiveMySQLPacket()
                let name = [UInt8](repeating: 97, count: flood == .columns ? 10 : 200)
                let definition: [UInt8] =
                    [3] + Array("def".utf8) + [0, 0, 0, UInt8(name.count)] + name
                    + [0, 12, 63, 0, 1, 0, 0, 0, 8, 1, 0, 0, 0, 0]
                head = FaultyServerConnection.mysqlPacket(1, [0xfd, 0xff, 0xff, 0x0f])
                piece = (0...255).flatMap { FaultyServerConnection.mysqlPacket(UInt8(($0 + 2) & 255), definition) }
            }
            connection.send(head)
            var sent = 0
            while sent <= Self.mostSent, connection.send(piece) { sent += piece.count }
            size.yield(sent)
        }
        // Oracle's library has no memory for columns that it is promised.
        let reasons: [PingFailure.Reason] =
            [.protocolViolation, .query, .disconnected] + (MySQLConnection.isOfOracle ? [.local] : [])
        #expect(reasons.contains(failure.reason), "\(failure)")
        var iterator = sizes.makeAsyncIterator()
        #expect(await iterator.next() ?? .max <= Self.mostSent)
    }

    @Test func goodServerIsLeftWithAGoodbye() async throws {
        let (goodbyes, goodbye) = AsyncStream<[UInt8]>.makeStream()
        let server = FaultyServer {
            guard $0.acceptMySQLLogin() else { return }
            _ = $0.receiveMySQLPacket()
            $0.sendMySQLColumns()
            $0.sendMySQLRow()
            goodbye.yield($0.receiveToEnd())
        }
        try await bench.check(.mysql, port: server.port).ping(limit: .ample)
        var iterator = goodbyes.makeAsyncIterator()
        #expect(await iterator.next() == [1, 0, 0, 0, 1])
        #expect(server.connections == 1)
    }
}

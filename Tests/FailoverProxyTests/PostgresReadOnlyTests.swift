import FailoverCore
import FailoverTesting
import Testing

@testable import FailoverProxy

@Suite("A read-only PostgreSQL session")
struct PostgresReadOnlyTests {
    private typealias Wire = PostgresWire

    private static let parameter = Array("default_transaction_read_only\u{0}on\u{0}".utf8)

    private static func startup(_ pairs: [(String, String)], version: [UInt8] = [0, 3, 0, 0]) -> [UInt8] {
        message(version + pairs.flatMap { Array("\($0)\u{0}\($1)\u{0}".utf8) } + [0])
    }

    private static func message(_ body: [UInt8]) -> [UInt8] {
        let length = body.count + 4
        return [0, 0, UInt8(length >> 8), UInt8(length & 0xff)] + body
    }

    private static let startup = startup([("user", "app"), ("options", "-c default_transaction_read_only=off")])
    private static let readOnly = startup([
        ("user", "app"), ("options", "-c default_transaction_read_only=off"), ("default_transaction_read_only", "on"),
    ])

    @Test(arguments: [UInt8(0), 2])
    func theParameterStandsBehindAllOthers(minor: UInt8) {
        let pairs = [("user", "app"), ("default_transaction_read_only", "off"), ("database", "")]
        #expect(
            PostgresReadOnlyStartup.bytes(Self.startup(pairs, version: [0, 3, 0, minor]))
                == Self.startup(pairs + [("default_transaction_read_only", "on")], version: [0, 3, 0, minor]))
        let behind = Wire.query("select 1")
        #expect(PostgresReadOnlyStartup.bytes(Self.startup + behind) == Self.readOnly + behind)
    }

    @Test func aMessageIsNotMadeLongerThanAServerTakes() {
        func startup(of length: Int) -> [UInt8] {
            let bytes = Self.startup([("user", "app"), ("options", "")])
            return Self.startup([("user", "app"), ("options", String(repeating: " ", count: length - bytes.count))])
        }
        let room = PostgresFirstMessage.longest - Self.parameter.count
        #expect(startup(of: room).count == room)
        #expect(PostgresReadOnlyStartup.bytes(startup(of: room))?.count == PostgresFirstMessage.longest)
        #expect(PostgresReadOnlyStartup.bytes(startup(of: room + 1)) == nil)
        #expect(PostgresReadOnlyStartup.bytes(startup(of: PostgresFirstMessage.longest)) == nil)
    }

    @Test(arguments: [
        message([0, 2, 0, 0] + Array("user\u{0}app\u{0}\u{0}".utf8)), message([0, 3, 0, 0]),
        message([0, 3, 0, 0] + Array("user\u{0}".utf8)), message([0, 3, 0, 0] + Array("user\u{0}app\u{0}".utf8)),
        message([0, 3, 0, 0] + Array("user\u{0}app".utf8)),
        message([0, 3, 0, 0] + Array("user\u{0}app\u{0}\u{0}x\u{0}".utf8)),
        Wire.sslRequest, Wire.cancel, Array(startup.dropLast()), [],
    ])
    func whatHasNoPlaceForItIsNotGuarded(bytes: [UInt8]) {
        #expect(PostgresReadOnlyStartup.bytes(bytes) == nil)
    }

    @Test(arguments: [SessionSettings.OpaquePolicy.allow, .refuse])
    func eachBackendGetsWhatItIsToHave(opaque: SessionSettings.OpaquePolicy) {
        var handshake = PostgresHandshake()
        #expect(handshake.clientSent(Self.startup) == .connect)
        #expect(handshake.connected(guarding: opaque) == .awaitBackend(sending: Self.readOnly))
        #expect(handshake.backendLost() == .connect)
        #expect(handshake.connected() == .awaitBackend(sending: Self.startup))
        #expect(handshake.backendLost() == .connect)
        #expect(handshake.connected(guarding: opaque) == .awaitBackend(sending: Self.readOnly))
        #expect(handshake.backendSent(Wire.welcome) == .proven(Wire.welcome))
        #expect(handshake.isInClear)
    }

    @Test(arguments: [SessionSettings.OpaquePolicy.allow, .refuse])
    func aBackendThatDeniedEncryptionItselfIsGuarded(opaque: SessionSettings.OpaquePolicy) {
        var handshake = PostgresHandshake()
        _ = handshake.clientSent(Wire.sslRequest)
        _ = handshake.connected(guarding: opaque)
        #expect(handshake.backendSent([UInt8(ascii: "N")]) == .tellClient([UInt8(ascii: "N")]))
        #expect(handshake.clientSent(Self.startup) == .awaitBackend(sending: Self.readOnly))
    }

    @Test func aMessageWithoutRoomIsForAnotherAlias() {
        var handshake = PostgresHandshake()
        let long = Self.startup([("user", "app"), ("options", String(repeating: " ", count: 9950))])
        _ = handshake.clientSent(long)
        guard case .failed(.unguardable) = handshake.connected(guarding: .allow) else {
            Issue.record("given to a backend")
            return
        }
        #expect(handshake.backendLost() == .connect)
        #expect(handshake.connected() == .awaitBackend(sending: long))
    }

    @Test func cancelRequestsAreNotTouched() {
        var handshake = PostgresHandshake()
        #expect(handshake.clientSent(Wire.cancel) == .cancel(Wire.cancel))
    }

    @Test(arguments: [Wire.sslRequest, Wire.gssRequest])
    func encryptionIsAnsweredByTheServerWhereItIsAllowed(request: [UInt8]) {
        var handshake = PostgresHandshake()
        _ = handshake.clientSent(request)
        #expect(handshake.connected(guarding: .allow) == .awaitBackend(sending: request))
        let yes = [request == Wire.sslRequest ? UInt8(ascii: "S") : UInt8(ascii: "G")]
        #expect(handshake.backendSent(yes) == .tellClient(yes))
        #expect(handshake.clientSent(Wire.hello) == .awaitBackend(sending: Wire.hello))
        #expect(handshake.isEncrypted)
    }

    @Test(arguments: [Wire.sslRequest, Wire.gssRequest])
    func whoAsksForEncryptionIsRefusedWithoutALureIntoClearText(request: [UInt8]) {
        var handshake = PostgresHandshake()
        _ = handshake.clientSent(request)
        #expect(handshake.connected(guarding: .refuse) == .awaitBackend(sending: request))
        let yes = [request == Wire.sslRequest ? UInt8(ascii: "S") : UInt8(ascii: "G")]
        #expect(handshake.backendSent(yes) == .failed(.unguardable(ReadOnlyGuard.whyEncrypted)))
        #expect(handshake.backendLost() == .connect)
        let refusal = Refusal(kind: .unguarded, message: "slave: cannot make the session on default read-only")
        #expect(handshake.refuse(refusal) == .closingMessage(refusal.postgresMessage))
    }

    private let address = SocketAddress(bytes: [1], description: "a")

    private func machine(_ opaque: SessionSettings.OpaquePolicy, guarded: [Int]) -> SessionStateMachine {
        SessionStateMachine(
            handshake: .postgres(PostgresHandshake()),
            candidates: (0..<2).map { RouteTable.Candidate(alias: $0, addresses: [address, address]) },
            limits: .init(connect: 1000, greeting: 2000, clientStartup: 30_000, refusal: 10),
            readOnlyGuard: ReadOnlyGuard(aliases: guarded, opaque: opaque))
    }

    @Test func anAliasThatMayNotServeAnEncryptedSessionIsPassedOverWithAllItsAddresses() {
        // An operator has switched the route to its failover alias.
        var machine = machine(.refuse, guarded: [0])
        _ = machine.start(now: 0)
        #expect(machine.clientSent(Wire.sslRequest, now: 0) == .dial(address, deadline: 500))
        _ = machine.connected(now: 1)
        #expect(machine.backendSent([UInt8(ascii: "S")], now: 2) == .dial(address, deadline: 502))
        #expect(machine.alias == 1)
        _ = machine.connected(now: 3)
        #expect(machine.backendSent([UInt8(ascii: "S")], now: 4) == .tell([UInt8(ascii: "S")], deadline: 30_000))
        _ = machine.clientSent(Wire.hello, now: 5)
        #expect(machine.backendSent(Wire.serverHello, now: 6) == .relay(Wire.serverHello))
        #expect(!machine.isUnguarded)
        #expect(machine.takeReports().allSatisfy { $0.attempt.failure.kind == nil })
    }

    @Test func whoHasBegunEncryptionIsNotBroughtToAnAliasThatRefusesIt() {
        var machine = machine(.refuse, guarded: [1])
        _ = machine.start(now: 0)
        _ = machine.clientSent(Wire.hello, now: 0)
        #expect(machine.failed(.timeout, now: 600) == .dial(address, deadline: 1000))
        #expect(
            machine.failed(.timeout, now: 1000)
                == .refuse([
                    .init(alias: 0, failure: .timeout),
                    .init(alias: 1, failure: .unguardable(ReadOnlyGuard.whyEncrypted)),
                ]))
    }

    @Test func whoHasBegunTLSIsToldByAnAlertOfTLS() {
        let refusal = Refusal(kind: .unguarded, message: "slave: cannot make the session on default read-only")
        var direct = PostgresHandshake()
        _ = direct.clientSent(Wire.hello)
        #expect(direct.refuse(refusal) == .closingMessage(TLSAlert.accessDenied))
        // The route's own alias accepted encryption, and was lost.
        var promised = PostgresHandshake()
        _ = promised.clientSent(Wire.sslRequest)
        _ = promised.connected()
        _ = promised.backendSent([UInt8(ascii: "S")])
        _ = promised.backendLost()
        #expect(promised.refuse(refusal) == .closingMessage(TLSAlert.accessDenied))
    }

    @Test func anEncryptedSessionThatIsAllowedIsKnownToBeUnguarded() {
        var machine = machine(.allow, guarded: [0])
        _ = machine.start(now: 0)
        _ = machine.clientSent(Wire.hello, now: 0)
        _ = machine.connected(now: 1)
        #expect(machine.backendSent(Wire.serverHello, now: 2) == .relay(Wire.serverHello))
        #expect(machine.isUnguarded)
    }

    @Test func onlyFailoverAliasesAreGuarded() {
        let board = RouteBoard(
            RouteTable(
                aliases: ["default", "slave", "other"].map {
                    AliasState(name: $0, endpoint: .tcp(host: "a", port: 1), addresses: [])
                }, routes: [Route(name: "slave", aliases: [1, 0]), Route(name: "default", aliases: [0, 2])]))
        let table = board.table
        #expect(ReadOnlyGuard(table, route: 0, opaque: .allow).aliases == [0])
        #expect(ReadOnlyGuard(table, route: 1, opaque: .allow).aliases == [2])
    }
}

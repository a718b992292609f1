import FailoverCore
import Testing

@testable import FailoverProxy

@Suite("A PostgreSQL session that is kept from writing")
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
        var opening = PostgresOpening()
        #expect(opening.clientSent(Self.startup) == .connect)
        #expect(opening.connected(guarding: opaque) == .awaitBackend(sending: Self.readOnly))
        #expect(opening.backendLost() == .connect)
        #expect(opening.connected() == .awaitBackend(sending: Self.startup))
        #expect(opening.backendLost() == .connect)
        #expect(opening.connected(guarding: opaque) == .awaitBackend(sending: Self.readOnly))
        #expect(opening.backendSent(Wire.welcome) == .proven(Wire.welcome))
        #expect(opening.isInClear)
    }

    @Test(arguments: [SessionSettings.OpaquePolicy.allow, .refuse])
    func aBackendThatDeniedEncryptionItselfIsGuarded(opaque: SessionSettings.OpaquePolicy) {
        var opening = PostgresOpening()
        _ = opening.clientSent(Wire.sslRequest)
        _ = opening.connected(guarding: opaque)
        #expect(opening.backendSent([UInt8(ascii: "N")]) == .tellClient([UInt8(ascii: "N")]))
        #expect(opening.clientSent(Self.startup) == .awaitBackend(sending: Self.readOnly))
    }

    @Test func aMessageWithoutRoomIsForAnotherAlias() {
        var opening = PostgresOpening()
        let long = Self.startup([("user", "app"), ("options", String(repeating: " ", count: 9950))])
        _ = opening.clientSent(long)
        guard case .failed(.unguardable) = opening.connected(guarding: .allow) else {
            Issue.record("given to a backend")
            return
        }
        #expect(opening.backendLost() == .connect)
        #expect(opening.connected() == .awaitBackend(sending: long))
    }

    @Test func cancelRequestsAreNotTouched() {
        var opening = PostgresOpening()
        #expect(opening.clientSent(Wire.cancel) == .cancel(Wire.cancel))
    }

    @Test(arguments: [Wire.sslRequest, Wire.gssRequest])
    func encryptionIsAnsweredByTheServerWhereItIsAllowed(request: [UInt8]) {
        var opening = PostgresOpening()
        _ = opening.clientSent(request)
        #expect(opening.connected(guarding: .allow) == .awaitBackend(sending: request))
        let yes = [request == Wire.sslRequest ? UInt8(ascii: "S") : UInt8(ascii: "G")]
        #expect(opening.backendSent(yes) == .tellClient(yes))
        #expect(opening.clientSent(Wire.hello) == .awaitBackend(sending: Wire.hello))
        #expect(opening.isEncrypted)
    }

    @Test(arguments: [Wire.sslRequest, Wire.gssRequest])
    func whoAsksForEncryptionIsRefusedWithoutALureIntoClearText(request: [UInt8]) {
        var opening = PostgresOpening()
        _ = opening.clientSent(request)
        #expect(opening.connected(guarding: .refuse) == .awaitBackend(sending: request))
        let yes = [request == Wire.sslRequest ? UInt8(ascii: "S") : UInt8(ascii: "G")]
        #expect(opening.backendSent(yes) == .failed(.unguardable(ReadOnlyGuard.whyEncrypted)))
        #expect(opening.backendLost() == .connect)
        let refusal = Refusal(kind: .unguarded, message: "slave: default must not be written to")
        #expect(opening.refuse(refusal) == .farewell(refusal.postgresMessage))
    }

    private let address = SocketAddress(bytes: [1], description: "a")

    private func machine(_ opaque: SessionSettings.OpaquePolicy, guarded: [Int]) -> SessionStateMachine {
        SessionStateMachine(
            opening: .postgres(PostgresOpening()),
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
        let refusal = Refusal(kind: .unguarded, message: "slave: default must not be written to")
        var direct = PostgresOpening()
        _ = direct.clientSent(Wire.hello)
        #expect(direct.refuse(refusal) == .farewell(TLSAlert.accessDenied))
        // Its own alias agreed, and was lost.
        var promised = PostgresOpening()
        _ = promised.clientSent(Wire.sslRequest)
        _ = promised.connected()
        _ = promised.backendSent([UInt8(ascii: "S")])
        _ = promised.backendLost()
        #expect(promised.refuse(refusal) == .farewell(TLSAlert.accessDenied))
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

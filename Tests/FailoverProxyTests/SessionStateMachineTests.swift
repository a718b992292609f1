import FailoverCore
import Glibc
import Testing

@testable import FailoverProxy

@Suite("How a session finds its backend")
struct SessionStateMachineTests {
    private let a = SocketAddress(bytes: [1], description: "a")
    private let b = SocketAddress(bytes: [2], description: "b")
    private let c = SocketAddress(bytes: [3], description: "c")

    private let limits = SessionStateMachine.Limits(connect: 1000, greeting: 2000, clientStartup: 30_000, refusal: 5000)

    private func machine(
        _ candidates: [[SocketAddress]], _ handshake: Handshake = .tcp, lastAnswerLimits: [UInt64] = []
    ) -> SessionStateMachine {
        SessionStateMachine(
            handshake: handshake,
            candidates: candidates.enumerated().map { RouteTable.Candidate(alias: $0, addresses: $1) },
            limits: limits, lastAnswerLimits: lastAnswerLimits)
    }

    private func accusation(_ alias: Int, _ failure: DialFailure) -> SessionStateMachine.Report {
        .init(attempt: .init(alias: alias, failure: failure), accuses: true)
    }

    @Test func theFirstCandidateIsDialedForConnectTimeout() {
        var machine = machine([[a], [b]])
        #expect(machine.start(now: 5) == .dial(a, deadline: 1005))
        #expect(machine.alias == 0)
        #expect(machine.connected(now: 6) == .relay([]))
        #expect(machine.isRelaying)
        #expect(machine.alias == 0)
    }

    @Test func aFailureLeadsToTheNextAliasWithItsOwnTime() {
        var machine = machine([[a], [b]])
        _ = machine.start(now: 0)
        #expect(machine.failed(.system(ECONNREFUSED), now: 100) == .dial(b, deadline: 1100))
        #expect(machine.takeReports() == [accusation(0, .system(ECONNREFUSED))])
        #expect(machine.takeReports() == [])
        #expect(machine.connected(now: 101) == .relay([]))
        #expect(machine.alias == 1)
    }

    @Test func theAddressesOfAnAliasShareItsTime() {
        var machine = machine([[a, b], [c]])
        #expect(machine.start(now: 0) == .dial(a, deadline: 500))
        #expect(machine.deadlinePassed(now: 500) == .dial(b, deadline: 1000))
        #expect(machine.takeReports() == [])
        #expect(machine.deadlinePassed(now: 1000) == .dial(c, deadline: 2000))
        #expect(machine.takeReports() == [accusation(0, .timeout)])
    }

    /// For example an IPv6 address without IPv6, or a dead address beside a full server.
    @Test(arguments: [
        (DialFailure.system(ECONNREFUSED), DialFailure.system(EADDRNOTAVAIL)),
        (.system(ECONNREFUSED), .system(ENETUNREACH)), (.refused(.tooManyConnections, "53300"), .system(ECONNREFUSED)),
    ])
    func anAddressThatSaysLessDoesNotHideWhatAnotherMet(more: DialFailure, less: DialFailure) {
        for failures in [[more, less], [less, more]] {
            var machine = machine([[a, b], [c]])
            _ = machine.start(now: 0)
            #expect(machine.failed(failures[0], now: 1) == .dial(b, deadline: 1000))
            #expect(machine.failed(failures[1], now: 2) == .dial(c, deadline: 1002))
            #expect(machine.takeReports() == [accusation(0, more)])
        }
    }

    @Test func aLackOfOurOwnIsToldWithEachAlias() {
        var machine = machine([[a], [c]])
        _ = machine.start(now: 0)
        #expect(machine.failed(.system(ECONNREFUSED), now: 1) == .dial(c, deadline: 1001))
        #expect(
            machine.failed(.system(EMFILE), now: 3)
                == .refuse([
                    .init(alias: 0, failure: .system(ECONNREFUSED)), .init(alias: 1, failure: .system(EMFILE)),
                ]))
    }

    @Test func whenNoAliasIsLeftTheClientIsRefusedWithEachReason() {
        var machine = machine([[a], [], [b]])
        _ = machine.start(now: 0)
        #expect(machine.deadlinePassed(now: 1) == .dial(b, deadline: 1001))
        let action = machine.failed(.system(ECONNREFUSED), now: 2)
        #expect(
            action
                == .refuse([
                    .init(alias: 0, failure: .timeout), .init(alias: 1, failure: .unresolved),
                    .init(alias: 2, failure: .system(ECONNREFUSED)),
                ]))
        #expect(machine.refused(Refusal(kind: .nothingUp, message: "no"), now: 2) == .leave("no"))
    }

    @Test func withoutCandidatesTheClientIsRefusedAtOnce() {
        var machine = machine([])
        #expect(machine.start(now: 0) == .refuse([]))
        #expect(machine.alias == nil)
    }

    @Test func anAliasThatIsFullIsPassedOverWithAllItsAddresses() {
        var machine = machine([[a, b], [c]])
        _ = machine.start(now: 0)
        #expect(machine.failed(.full, now: 0) == .dial(c, deadline: 1000))
        #expect(machine.overflowed)
    }

    // MARK: Answers

    private let mysql = Handshake.mysql(MySQLHandshake())

    @Test func theLastCandidateHasLongerForItsAnswer() {
        var machine = machine([[a], [b], []], mysql, lastAnswerLimits: [10_000, 20_000, 30_000])
        _ = machine.start(now: 0)
        #expect(machine.connected(now: 10) == .ask([], deadline: 2010))
        #expect(machine.deadlinePassed(now: 2010) == .dial(b, deadline: 3010))
        // The third candidate has no address, so no other server is left.
        #expect(machine.connected(now: 2020) == .ask([], deadline: 22_020))
    }

    @Test func aLastCandidateHasNoLessThanGreetingTimeout() {
        var machine = machine([[a]], mysql, lastAnswerLimits: [500])
        _ = machine.start(now: 0)
        #expect(machine.connected(now: 0) == .ask([], deadline: 2000))
    }

    @Test func aSilentAddressIsFollowedByTheNextOfItsAlias() {
        var machine = machine([[a, b], [c]], mysql, lastAnswerLimits: [10_000, 10_000])
        #expect(machine.start(now: 0) == .dial(a, deadline: 500))
        #expect(machine.connected(now: 10) == .ask([], deadline: 1010))
        #expect(machine.deadlinePassed(now: 1010) == .dial(b, deadline: 2000))
        #expect(machine.connected(now: 1020) == .ask([], deadline: 2020))
        #expect(machine.takeReports() == [])
        #expect(machine.deadlinePassed(now: 2020) == .dial(c, deadline: 3020))
        #expect(machine.takeReports() == [accusation(0, .silent)])
        #expect(
            machine.takeAddressNews() == [.init(address: a, serves: false), .init(address: b, serves: false)])
    }

    @Test func onlyTheVeryLastAddressHasLonger() {
        var machine = machine([[a, b]], mysql, lastAnswerLimits: [10_000])
        _ = machine.start(now: 0)
        #expect(machine.connected(now: 0) == .ask([], deadline: 1000))
        #expect(machine.deadlinePassed(now: 1000) == .dial(b, deadline: 2000))
        #expect(machine.connected(now: 1000) == .ask([], deadline: 11_000))
    }

    @Test func anAddressThatServesIsNewsOnlyWhereThereAreOthers() {
        var machine = machine([[a, b]])
        _ = machine.start(now: 0)
        _ = machine.failed(.system(ECONNREFUSED), now: 1)
        _ = machine.connected(now: 2)
        #expect(machine.takeAddressNews() == [.init(address: a, serves: false), .init(address: b, serves: true)])
        #expect(machine.takeAddressNews() == [])
        var alone = self.machine([[a], [b]])
        _ = alone.start(now: 0)
        _ = alone.failed(.system(ECONNREFUSED), now: 1)
        _ = alone.connected(now: 2)
        #expect(alone.takeAddressNews() == [])
    }

    // MARK: The last resort

    @Test func theLastResortIsDialedPatiently() {
        var machine = machine([])
        #expect(machine.start(now: 0) == .refuse([]))
        let down = [RouteTable.Candidate(alias: 3, addresses: [a]), .init(alias: 2, addresses: [b])]
        #expect(machine.tryAnyway(down, now: 5) == .dial(a, deadline: 3005))
        #expect(machine.failed(.system(ECONNREFUSED), now: 6) == .dial(b, deadline: 3006))
        #expect(machine.connected(now: 7) == .relay([]))
        #expect(machine.alias == 2)
        #expect(machine.isLastResort)
    }

    @Test func whenTheLastResortFailsTooEachReasonIsTold() {
        var machine = machine([[a]])
        _ = machine.start(now: 0)
        guard case .refuse = machine.failed(.system(ECONNREFUSED), now: 1) else {
            Issue.record("not refused")
            return
        }
        #expect(!machine.isLastResort)
        #expect(machine.tryAnyway([.init(alias: 3, addresses: [b])], now: 2) == .dial(b, deadline: 3002))
        #expect(
            machine.deadlinePassed(now: 3002)
                == .refuse([
                    .init(alias: 0, failure: .system(ECONNREFUSED)), .init(alias: 3, failure: .timeout),
                ]))
    }

    // MARK: Blame

    private func postgres(_ candidates: [[SocketAddress]]) -> SessionStateMachine {
        machine(candidates, .postgres(PostgresHandshake()))
    }

    @Test func whoClosesOnWhatAClientSaidIsAccusedWhenAnotherTakesTheSame() {
        var machine = postgres([[a], [b]])
        _ = machine.start(now: 0)
        _ = machine.clientSent(PostgresWire.startup(), now: 0)
        _ = machine.connected(now: 0)
        #expect(machine.failed(.closed, now: 1) == .dial(b, deadline: 1001))
        #expect(machine.takeReports() == [])
        _ = machine.connected(now: 1)
        #expect(machine.backendSent(PostgresWire.welcome, now: 2) == .relay(PostgresWire.welcome))
        #expect(machine.takeReports() == [accusation(0, .closed)])
    }

    @Test func whoAloneClosesOnWhatAClientSaidIsWorthALook() {
        var machine = postgres([[a]])
        _ = machine.start(now: 0)
        _ = machine.clientSent(PostgresWire.startup(), now: 0)
        _ = machine.connected(now: 0)
        _ = machine.failed(.closed, now: 1)
        _ = machine.refused(Refusal(kind: .nothingUp, message: "no"), now: 1)
        #expect(machine.takeReports() == [.init(attempt: .init(alias: 0, failure: .closed), accuses: false)])
    }

    @Test func whoClosesWhileTheClientIsToSpeakIsNotAccused() {
        var machine = postgres([[a], [b]])
        _ = machine.start(now: 0)
        _ = machine.clientSent(PostgresWire.sslRequest, now: 0)
        _ = machine.connected(now: 0)
        _ = machine.backendSent(Array("S".utf8), now: 0)
        _ = machine.failed(.closed, now: 20_000)
        _ = machine.clientSent(PostgresWire.hello, now: 20_001)
        _ = machine.connected(now: 20_002)
        _ = machine.backendSent(Array("S".utf8), now: 20_003)
        #expect(machine.backendSent(PostgresWire.serverHello, now: 20_004) == .relay(PostgresWire.serverHello))
        #expect(machine.takeReports() == [])
    }

    @Test func halfAClientHelloAccusesNobody() {
        var machine = postgres([[a]])
        _ = machine.start(now: 0)
        _ = machine.clientSent(PostgresWire.sslRequest, now: 0)
        _ = machine.connected(now: 0)
        _ = machine.backendSent(Array("S".utf8), now: 0)
        #expect(machine.clientSent(Array(PostgresWire.hello.prefix(8)), now: 10) == .wait(deadline: 30_000))
        #expect(machine.deadlinePassed(now: 30_000) == .leave("the client did not send its login in time"))
        #expect(machine.takeReports() == [])
    }

    @Test func whoLetsTheClientInAndTakesItsTimeServes() {
        var machine = postgres([[a], [b]])
        _ = machine.start(now: 0)
        _ = machine.clientSent(PostgresWire.startup(), now: 0)
        _ = machine.connected(now: 0)
        let ok = PostgresWire.message("R", [0, 0, 0, 0])
        #expect(machine.backendSent(ok, now: 1) == .ask([], deadline: 2000))
        #expect(machine.deadlinePassed(now: 2000) == .relay(ok))
    }

    @Test(arguments: [
        (DialFailure.system(ECONNREFUSED), BackendErrorKind.connectRefused), (.timeout, .connectTimeout),
        (.system(EHOSTUNREACH), .connectUnreachable), (.system(ENETUNREACH), .connectUnreachable),
        (.system(ENOENT), .connectRefused), (.system(EAGAIN), .tooManyConnections),
    ])
    func failuresHaveTheKindsOfTheConfiguration(_ failure: DialFailure, _ kind: BackendErrorKind) {
        #expect(failure.kind == kind)
    }

    @Test func aLackOfOurOwnAccusesNoBackend() {
        #expect(DialFailure.system(EMFILE).kind == nil)
        #expect(DialFailure.unresolved.kind == nil)
    }
}

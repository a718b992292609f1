import FailoverCore
import Glibc
import Testing

@testable import FailoverProxy

@Suite("How a session finds its backend")
struct SessionStateMachineTests {
    private let a = SocketAddress(bytes: [1], description: "a")
    private let b = SocketAddress(bytes: [2], description: "b")
    private let c = SocketAddress(bytes: [3], description: "c")

    private let limits = SessionStateMachine.Limits(connect: 1000, greeting: 2000, clientStartup: 30_000)

    private func machine(_ candidates: [[SocketAddress]], _ opening: Opening = .tcp) -> SessionStateMachine {
        SessionStateMachine(
            opening: opening,
            candidates: candidates.enumerated().map { RouteTable.Candidate(alias: $0, addresses: $1) },
            limits: limits)
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
        #expect(machine.takeReports() == [.init(alias: 0, failure: .system(ECONNREFUSED))])
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
        #expect(machine.takeReports() == [.init(alias: 0, failure: .timeout)])
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
        #expect(machine.gaveWay)
    }

    @Test(arguments: [
        (DialFailure.system(ECONNREFUSED), BackendErrorKind.connectRefused), (.timeout, .connectTimeout),
        (.system(EHOSTUNREACH), .connectUnreachable), (.system(ENETUNREACH), .connectUnreachable),
        (.system(ENOENT), .connectRefused),
    ])
    func failuresHaveTheKindsOfTheConfiguration(_ failure: DialFailure, _ kind: BackendErrorKind) {
        #expect(failure.kind == kind)
    }

    @Test func aLackOfOurOwnAccusesNoBackend() {
        #expect(DialFailure.system(EMFILE).kind == nil)
        #expect(DialFailure.unresolved.kind == nil)
    }
}

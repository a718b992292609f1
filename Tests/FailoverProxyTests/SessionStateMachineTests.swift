import FailoverCore
import Glibc
import Testing

@testable import FailoverProxy

@Suite("How a session finds its backend")
struct SessionStateMachineTests {
    private let a = SocketAddress(bytes: [1], description: "a")
    private let b = SocketAddress(bytes: [2], description: "b")
    private let c = SocketAddress(bytes: [3], description: "c")

    private func machine(_ candidates: [[SocketAddress]]) -> SessionStateMachine {
        SessionStateMachine(
            candidates: candidates.enumerated().map { RouteTable.Candidate(alias: $0, addresses: $1) },
            connectTimeout: .nanoseconds(1000))
    }

    @Test func theFirstCandidateIsDialedForConnectTimeout() {
        var machine = machine([[a], [b]])
        #expect(machine.start(now: 5) == .dial(a, deadline: 1005))
        #expect(machine.alias == 0)
        #expect(machine.connected() == .relay)
        #expect(machine.isRelaying)
        #expect(machine.alias == 0)
    }

    @Test func aFailureLeadsToTheNextAliasWithItsOwnTime() {
        var machine = machine([[a], [b]])
        _ = machine.start(now: 0)
        let (ended, next) = machine.failed(.system(ECONNREFUSED), now: 100)
        #expect(ended == .init(alias: 0, failure: .system(ECONNREFUSED)))
        #expect(next == .dial(b, deadline: 1100))
        #expect(machine.connected() == .relay)
        #expect(machine.alias == 1)
    }

    @Test func theAddressesOfAnAliasShareItsTime() {
        var machine = machine([[a, b], [c]])
        #expect(machine.start(now: 0) == .dial(a, deadline: 500))
        let (ended, next) = machine.failed(.timeout, now: 500)
        #expect(ended == nil)
        #expect(next == .dial(b, deadline: 1000))
        #expect(machine.failed(.timeout, now: 1000).next == .dial(c, deadline: 2000))
    }

    @Test func whenNoAliasIsLeftTheClientIsRefusedWithEachReason() {
        var machine = machine([[a], [], [b]])
        _ = machine.start(now: 0)
        #expect(machine.failed(.timeout, now: 1).next == .dial(b, deadline: 1001))
        let (ended, next) = machine.failed(.system(ECONNREFUSED), now: 2)
        #expect(ended?.alias == 2)
        #expect(
            next
                == .refuse([
                    .init(alias: 0, failure: .timeout), .init(alias: 1, failure: .unresolved),
                    .init(alias: 2, failure: .system(ECONNREFUSED)),
                ]))
    }

    @Test func withoutCandidatesTheClientIsRefusedAtOnce() {
        var machine = machine([])
        #expect(machine.start(now: 0) == .refuse([]))
        #expect(machine.alias == nil)
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

import FailoverCore
import FailoverTesting
import Testing

@Suite("What routes know of an alias by its pings")
struct WhatRoutesKnowTests {
    private let one = Endpoint.tcp(host: "one", port: 5432)
    private let two = Endpoint.tcp(host: "two", port: 5432)
    private let address = SocketAddress(bytes: [1], description: "192.0.2.1:5432")
    private let role = PingFailure(.wrongRole, "is a primary, not a replica: it was promoted")
    private let refusal = PingFailure(.authentication, "no")

    private func machine(_ policy: ReplicationPolicy? = nil) -> ServiceStateMachine {
        ServiceStateMachine(
            settings: MonitorSettings(
                frequencies: PingFrequencies(monitoringInterval: .seconds(1), outageInterval: .seconds(1))),
            replication: policy)
    }

    private func at(_ seconds: Int) -> MonotonicTime { MonotonicTime(.seconds(seconds)) }

    /// One ping, from its start to its result.
    private func ping(
        _ machine: inout ServiceStateMachine, at seconds: Int, _ answer: PingAnswer
    ) -> [ServiceAction] {
        #expect(machine.trigger(.operator, now: at(seconds)).contains { $0.isPing })
        return machine.pingFinished(answer, now: at(seconds))
    }

    @Test func aReplicaThatFallsBehindIsStaleAndFreshAgain() {
        var machine = machine(ReplicationPolicy(maxLag: .seconds(10)))
        func behind(_ seconds: Int) -> PingAnswer {
            PingAnswer(replication: ReplicationReading(heartbeat: .behind(.seconds(seconds))))
        }
        #expect(ping(&machine, at: 0, behind(0)) == [])
        #expect(ping(&machine, at: 1, behind(30)) == [.stale(Staleness(behind: .seconds(30)))])
        #expect(machine.facts(now: at(1)).staleness == Staleness(behind: .seconds(30)))
        #expect(machine.lag == .seconds(30))
        #expect(ping(&machine, at: 2, behind(7)) == [])
        #expect(machine.facts(now: at(2)).staleness == Staleness(behind: .seconds(7)))
        #expect(ping(&machine, at: 9, behind(1)) == [.fresh(after: .seconds(8))])
        #expect(machine.facts(now: at(9)).staleness == nil)
        #expect(ping(&machine, at: 10, PingAnswer(failure: refusal)).count == 1)
        #expect(machine.lag == nil)
    }

    /// If a server refuses the ping, its data counts as before for `max_lag`.
    @Test func aReplicaThatRefusesToTellIsStaleAfterMaxLag() {
        var machine = machine(ReplicationPolicy(maxLag: .seconds(10)))
        _ = ping(&machine, at: 0, PingAnswer(replication: ReplicationReading(heartbeat: .behind(.zero))))
        _ = ping(&machine, at: 1, PingAnswer(failure: refusal))
        #expect(ping(&machine, at: 10, PingAnswer(failure: refusal)) == [])
        #expect(ping(&machine, at: 11, PingAnswer(failure: refusal)) == [.stale(Staleness(behind: nil))])
    }

    @Test func aServerInTheWrongRoleMustNotServeUntilItAnswersWell() {
        var machine = machine()
        #expect(ping(&machine, at: 0, PingAnswer(failure: role)) == [.outage(role)])
        #expect(machine.facts(now: at(0)).mustNotServe)
        _ = ping(&machine, at: 1, PingAnswer(failure: refusal))
        #expect(machine.facts(now: at(1)).mustNotServe)
        _ = ping(&machine, at: 2, PingAnswer())
        #expect(!machine.facts(now: at(2)).mustNotServe)
    }

    @Test func itIsToldWhenAnAliasHasBecomeAnotherServer() {
        var machine = machine()
        func well(_ server: Endpoint) -> PingAnswer {
            PingAnswer(
                place: ServerLocation([address], server: server, isTested: true), record: ServerRecord(known: server))
        }
        #expect(ping(&machine, at: 0, well(one)) == [])
        #expect(ping(&machine, at: 1, well(two)) == [.moved(from: one, to: two)])
        #expect(machine.facts(now: at(1)).place?.server == two)
        #expect(
            machine.trigger(.operator, now: at(2))
                == [.startPing(PingRequest(limit: .seconds(10), record: ServerRecord(known: two)))])
    }

    @Test func whatAnotherProcessKnewHoldsUntilAPingTellsOtherwise() {
        var machine = machine(ReplicationPolicy(maxLag: .seconds(10)))
        let facts = AliasFacts(
            place: ServerLocation([address], server: two, isTested: true), staleness: Staleness(behind: .seconds(60)),
            mustNotServe: true)
        machine.resume(facts, now: .zero)
        #expect(machine.facts(now: .zero) == facts)
        let answer = PingAnswer(replication: ReplicationReading(heartbeat: .behind(.zero)))
        #expect(ping(&machine, at: 5, answer) == [.fresh(after: .seconds(5))])
        #expect(machine.facts(now: at(5)) == AliasFacts(place: facts.place))
    }

    @Test func otherSettingsLeaveWhatIsKnown() {
        var machine = machine(ReplicationPolicy(maxLag: .seconds(10)))
        machine.resume(AliasFacts(staleness: Staleness(behind: .seconds(60))), now: .zero)
        machine = machine.resumed(with: MonitorSettings(), replication: nil)
        #expect(machine.facts(now: .zero).staleness != nil)
        #expect(ping(&machine, at: 1, PingAnswer()) == [.fresh(after: .seconds(1))])
    }
}

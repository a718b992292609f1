import FailoverCore
import FailoverSystem
import FailoverTesting

@testable import FailoverChecks

extension FuzzTarget {
    /// The answer to a `heartbeat_query`.
    static let heartbeat = FuzzTarget("heartbeat") { input in
        let rows = input.rows()
        guard case .heartbeat(.behind(let lag)) = HeartbeatAnswer(rows) else { return nil }
        return lag < .zero || lag > .seconds(10_000_000_000) ? "\(lag) behind" : nil
    }

    /// The replication status of replicas, ping by ping, and its interpretation.
    static let replication = FuzzTarget("replication") { input in
        var freshness = ReplicaFreshness(
            policy: ReplicationPolicy(
                maxLag: input.flag() ? input.duration() : nil, recoversAt: input.flag() ? input.duration() : nil,
                maxLagBytes: input.flag() ? input.number() : nil,
                whenStopped: ReplicationPolicy.WhenStopped.allCases[Int(input.byte() % 3)]))
        var now = MonotonicTime.zero
        for _ in 0..<200 where !input.isEmpty {
            now = now.advanced(by: .milliseconds(Int64(input.number(UInt32.self))))
            let reading = reading(&input)
            let (staleness, behind) = (freshness.observe(reading, now: now).staleness, freshness.behind)
            _ = (behind?.inWords, staleness.map { "\($0)" }, reading.stopped?.asOneLine())
        }
        return nil
    }

    private static func reading(_ input: inout FuzzInput) -> ReplicationReading {
        var reading = ReplicationReading()
        switch input.byte() % 4 {
        case 0:
            if case .reading(let said) = PostgresReplication.answer(in: input.rows()) { reading = said }
            reading.positions?.primary = input.flag() ? input.number() : nil
        case 1: reading = MySQLReplication.reading(input.replicationRows())
        case 2:
            let known: UInt64? = input.flag() ? input.number() : nil
            reading.positions = .init(
                known: known, applied: input.number(), primary: input.flag() ? input.number() : nil)
            reading.behind = .milliseconds(Int64(input.number(Int32.self)))
            reading.clockBehind = .milliseconds(Int64(input.number(Int32.self)))
        default: break
        }
        if input.flag(), case .heartbeat(let heartbeat) = HeartbeatAnswer(input.rows()) {
            reading.heartbeat = heartbeat
        }
        return reading
    }

    /// The texts of servers and client libraries about themselves and about errors.
    static let serverWords = FuzzTarget("server-words") { input in
        switch input.byte() % 2 {
        case 0:
            let error = PostgresError(connectionText: input.text())
            _ = (error.message.asOneLine(hiding: Secret("")), error.reasonWhileLoggingIn)
            for grant in ["", error.text] {
                let question = PostgresReplication.question(user: grant)
                _ = question.grant(helpingAgainst: error.text)
            }
        default:
            let error = MySQLError(code: Int(input.number(Int16.self)), text: input.text())
            _ = (error.message, error.reason(at: .query), error.reason(at: .login), error.systemError?.message)
        }
        return nil
    }
}

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

    /// The lists of sessions of PostgreSQL and MySQL servers: nothing is attested that was not asked, or has no row.
    static let boundaryRows = FuzzTarget("boundary-rows") { input in
        let sources = (0..<Int(input.byte() % 4)).compactMap { _ in address(&input) }
        guard let own = address(&input) else { return nil }
        let answer: BoundaryAnswer
        var known: Set<BoundaryRow.Source> = []
        if input.flag() {
            let rows = input.rows()
            answer = PostgresBoundaries.answer(rows, for: sources, own: own, user: "monitor")
            known = Set(
                rows.compactMap { $0.count > 1 ? BoundaryRow.Source(host: $0[0] ?? "", port: $0[1] ?? "") : nil })
        } else {
            let list = MySQLBoundaries.rows(input.sessionRows())
            answer = list.answer(for: sources, own: own) { $0.utf8.count > 1 }
            known = Set(list.rows.compactMap(\.source))
        }
        guard case .attested(let attested) = answer else { return nil }
        guard attested.isSubset(of: sources) else { return "attests what was not asked" }
        for source in attested {
            let isListed = known.contains { listed in
                switch (listed, BoundaryRow.Source(source)) {
                case (.address, let own?): listed == own
                case (.name(_, let port), .address(_, let own)?): port == own
                default: false
                }
            }
            if !isListed { return "\(source) is not listed" }
        }
        return nil
    }

    private static func address(_ input: inout FuzzInput) -> SocketAddress? {
        let ip = (0..<(input.flag() ? 16 : 4)).map { _ in input.byte() }
        return SocketAddress(ip: ip, port: input.number())
    }
}

extension FuzzInput {
    /// Rows of a process list, by column name.
    fileprivate mutating func sessionRows() -> [[String: String]] {
        let names = ["host", "user", "command", "own", "instrumented", "locked", "active", "statements"]
        return (0..<Int(byte() % 5)).map { _ in
            var row: [String: String] = [:]
            for name in names where flag() { row[name] = text() }
            return row
        }
    }
}

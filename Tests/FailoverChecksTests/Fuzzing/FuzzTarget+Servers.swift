import FailoverCore
import FailoverSystem
import FailoverTesting

@testable import FailoverChecks

extension FuzzTarget {
    /// The answer to a `heartbeat_query`.
    static let heartbeat = FuzzTarget("heartbeat") { input in
        let rows = rows(&input)
        guard case .heartbeat(.behind(let lag)) = HeartbeatAnswer(rows) else { return nil }
        return lag < .zero || lag > .seconds(10_000_000_000) ? "\(lag) behind" : nil
    }

    /// What replicas say of their replication, ping by ping, and what is made of it.
    static let replication = FuzzTarget("replication") { input in
        var freshness = ReplicaFreshness(
            policy: ReplicationPolicy(
                maxLag: input.flag() ? input.duration() : nil, recoversAt: input.flag() ? input.duration() : nil,
                maxLagBytes: input.flag() ? input.number() : nil,
                whenStopped: ReplicationPolicy.WhenStopped.allCases[Int(input.byte() % 3)]))
        var now = MonotonicTime.zero
        for _ in 0..<200 where !input.isEmpty {
            now = now.advanced(by: .milliseconds(Int64(input.number(UInt32.self))))
            let (verdict, behind) = (freshness.observe(reading(&input), now: now), freshness.behind)
            _ = behind?.inWords
            switch verdict {
            case .fresh: break
            case .stale(let staleness): _ = "\(staleness)"
            case .down(let words): _ = words.asOneLine(hiding: nil)
            }
        }
        return nil
    }

    private static func reading(_ input: inout FuzzInput) -> ReplicationReading {
        var reading = ReplicationReading()
        switch input.byte() % 4 {
        case 0:
            if case .reading(let said) = PostgresReplication.answer(in: rows(&input)) { reading = said }
            reading.positions?.primary = input.flag() ? input.number() : nil
        case 1: reading = MySQLReplication.reading(channels(&input))
        case 2:
            let known: UInt64? = input.flag() ? input.number() : nil
            reading.positions = .init(
                known: known, applied: input.number(), primary: input.flag() ? input.number() : nil)
            reading.behind = .milliseconds(Int64(input.number(Int32.self)))
            reading.clockBehind = .milliseconds(Int64(input.number(Int32.self)))
        default: break
        }
        if input.flag(), case .heartbeat(let heartbeat) = HeartbeatAnswer(rows(&input)) {
            reading.heartbeat = heartbeat
        }
        return reading
    }

    /// What servers and their client libraries say of themselves and of errors.
    static let serverWords = FuzzTarget("server-words") { input in
        switch input.byte() % 4 {
        case 0:
            let error = PostgresError(connectionText: input.text())
            _ = (error.words.asOneLine(hiding: Secret("")), error.reasonWhileLoggingIn)
            for grant in ["", error.text] {
                let question = PostgresReplication.question(user: grant)
                _ = question.grant(helpingAgainst: error.text)
            }
        case 1:
            let error = MySQLError(code: Int(input.number(Int16.self)), text: input.text())
            _ = (error.words, error.reason(at: .query), error.reason(at: .login), error.systemError?.words)
        case 2:
            let row = (0..<11).map { _ in input.field() }
            let facts = PostgresExamination.facts(row, cluster: input.field())
            _ = (facts.connections?.available, PostgresRole.answer(in: [row]))
            let (asked, answered) = (WallTime(sinceEpoch: .seconds(1)), WallTime(sinceEpoch: .seconds(2)))
            if let seconds = row[2].flatMap(Double.init) {
                let time = WallTime(sinceEpoch: Duration(foreignSeconds: seconds))
                let reading = ClockReading(server: time, asked: asked, answered: answered)
                _ = (time.text, reading.surelyApart(from: ClockReading(offset: .zero, uncertainty: .zero)).inWords)
            }
        default:
            let rows = channels(&input)
            let settings = MySQLSettings(rows)
            guard let role = MySQLRole(rows) else { return nil }
            let facts = settings.facts(role: role, channels: channels(&input), hiding: Secret("s"))
            _ = (facts, role.grant, settings.connections(rows)?.available, role.version.channelQuestion)
            _ = settings.hostBlocking(role.version, errors: rows)
            if let time = MySQLSettings.time(rows) {
                let reading = ClockReading(server: time, asked: .now, answered: .now)
                _ = (time.text, reading.surelyApart(from: ClockReading(offset: .zero, uncertainty: .zero)).inWords)
            }
        }
        return nil
    }

    private static func rows(_ input: inout FuzzInput) -> [[String?]] {
        (0..<Int(input.byte() % 4)).map { _ in (0..<Int(input.byte() % 10)).map { _ in input.field() } }
    }

    /// Rows by the names of their columns, which are those that are asked for.
    private static func channels(_ input: inout FuzzInput) -> [[String: String]] {
        let names = [
            "Connection_name", "Channel_Name", "Last_IO_Error", "Last_SQL_Error", "Replica_IO_Running",
            "Slave_SQL_Running", "Replica_SQL_Running", "Slave_IO_Running", "Seconds_Behind_Source",
            "Seconds_Behind_Master", "Master_Host", "Source_Port", "Source_Server_Id", "hostname", "max_connections",
            "Value", "max_connect_errors", "host_cache_size", "errors", "refusals", "microseconds", "read_only",
            "version", "account", "time_zone",
        ]
        return (0..<Int(input.byte() % 4)).map { _ in
            var row: [String: String] = [:]
            for _ in 0..<Int(input.byte() % 16) { row[names[Int(input.byte()) % names.count]] = input.text() }
            return row
        }
    }
}

import FailoverCore
import FailoverSystem
import FailoverTesting

@testable import FailoverChecks
@testable import FailoverDoctor

extension FuzzTarget {
    static let ofDoctor = [serverFacts, readOnlyAnswer]

    /// What servers report about themselves to the doctor.
    static let serverFacts = FuzzTarget("server-facts") { input in
        switch input.byte() % 2 {
        case 0:
            let row = (0..<11).map { _ in input.field() }
            let facts = PostgresProbe.facts(row, cluster: input.field())
            _ = (facts.connections?.available, PostgresRole.answer(in: [row]))
            let (asked, answered) = (WallTime(sinceEpoch: .seconds(1)), WallTime(sinceEpoch: .seconds(2)))
            if let seconds = row[2].flatMap(Double.init) {
                let time = WallTime(sinceEpoch: Duration(foreignSeconds: seconds))
                let reading = ClockReading(server: time, asked: asked, answered: answered)
                _ = (time.text, reading.surelyApart(from: ClockReading(offset: .zero, uncertainty: .zero)).inWords)
            }
        default:
            let rows = input.replicationRows()
            let settings = MySQLSettings(rows)
            guard let role = MySQLRole(rows) else { return nil }
            let facts = settings.facts(role: role, channels: input.replicationRows(), hiding: Secret("s"))
            _ = (facts, role.grant, settings.connections(rows)?.available, role.version.channelQuestion)
            _ = settings.hostBlocking(role.version, errors: rows)
            if let time = MySQLSettings.time(rows) {
                let reading = ClockReading(server: time, asked: .now, answered: .now)
                _ = (time.text, reading.surelyApart(from: ClockReading(offset: .zero, uncertainty: .zero)).inWords)
            }
        }
        return nil
    }

    /// The answer of a PostgreSQL server to a session that requests to be read-only.
    static let readOnlyAnswer = FuzzTarget("read-only-answer") { input in
        let answer = input.remaining()
        _ = ReadOnlyParameter.tellsSo(answer)
        if !ReadOnlyParameter.isIncomplete(answer), !answer.isEmpty, ReadOnlyParameter.isIncomplete(answer + [0]) {
            return "what was whole is not any more"
        }
        return nil
    }
}

import FailoverCore
import Testing

@Suite("The latest pings")
struct PingHistoryTests {
    private func record(_ number: Int, fails: Bool = false) -> PingHistory.Record {
        PingHistory.Record(
            time: WallTime(sinceEpoch: .seconds(number)),
            result: PingResult(failure: fails ? PingFailure(.refused, "no") : nil, duration: .milliseconds(number)))
    }

    @Test func aStreakGoesOnUntilAResultIsAnother() {
        var history = PingHistory()
        #expect(history.streak == 0)
        for number in 0..<3 { history.add(record(number)) }
        #expect(history.streak == 3)
        history.add(record(3, fails: true))
        #expect(history.streak == 1)
        history.add(record(4, fails: true))
        #expect(history.streak == 2)
        #expect(history.succeeded == 3)
        #expect(history.failed == 2)
    }

    @Test func theOldestAreForgottenButStillCounted() {
        var history = PingHistory()
        for number in 0..<100 { history.add(record(number)) }
        #expect(history.records.count == PingHistory.capacity)
        #expect(history.records.first == record(40))
        #expect(history.latest == record(99))
        #expect(history.streak == 100)
    }
}

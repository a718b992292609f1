import Testing

@testable import FailoverDoctor

@Suite("Numbers of sessions as servers report them")
struct ForeignCountTests {
    @Test(arguments: [nil, "", "-1", "9223372036854775807", "-9223372036854775808", "many", "1e3"])
    func whatNoServerHasIsNoCount(_ text: String?) { #expect(ConnectionCounts.count(text) == nil) }

    @Test func numbersThatAddUpToMoreThanAllAreNoTrap() {
        let most = "\(Int32.max)"
        var row: [String?] = Array(repeating: nil, count: 11)
        row[5...8] = [most, most, most, most]
        let counts = PostgresProbe.facts(row, cluster: nil).connections
        #expect(counts?.available == -Int(Int32.max))
    }
}

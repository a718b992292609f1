import FailoverMonitor
import Testing

@Suite("Positions in the log of a primary")
struct PrimaryPositionsTests {
    @Test func primariesAndReplicasCompareWhereThatIsWanted() {
        let positions = PrimaryPositions()
        let (primary, spare, replica) = (
            positions.of(alias: 0), positions.of(alias: 1), positions.of(alias: 2)
        )
        #expect(!primary.isWanted && replica.ofPrimary == nil)
        positions.change(sources: [2: [0, 1]])
        #expect(primary.isWanted && spare.isWanted && !replica.isWanted)
        primary.tell(500)
        spare.tell(nil)
        #expect(replica.ofPrimary == 500 && primary.ofPrimary == nil)
        // A recreated primary has a new log.
        primary.tell(40)
        #expect(replica.ofPrimary == 40)
        spare.tell(60)
        primary.tell(nil)
        #expect(replica.ofPrimary == 60)
        // Another alias has the position of the spare one.
        positions.change(sources: [2: [0, 1]], added: [1])
        #expect(replica.ofPrimary == nil)
    }
}

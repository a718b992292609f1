import FailoverCore
import Testing

@Suite("Durations from outside")
struct ForeignNumberTests {
    @Test(
        arguments: [
            (0, .zero), (0.95, .milliseconds(950)), (-2.5, .milliseconds(-2500)), (1.234567, .microseconds(1_234_567)),
            (1e300, .longest), (-1e300, .zero - .longest), (.infinity, .longest), (-.infinity, .zero - .longest),
            (.nan, .zero), (.signalingNaN, .zero), (.greatestFiniteMagnitude, .longest),
            (.leastNonzeroMagnitude, .zero),
        ] as [(Double, Duration)])
    func aNumberOfSecondsIsNoTrap(_ seconds: Double, _ expected: Duration) {
        #expect(Duration(foreignSeconds: seconds) == expected)
    }

    @Test(arguments: [Int64.min, -1, 0, 1, Int64.max])
    func everyDurationHasWords(_ seconds: Int64) {
        #expect(!Duration.seconds(seconds).inWords.isEmpty)
        #expect(!(Duration.seconds(seconds) * 8).inWords.isEmpty)
    }
}

import FailoverCore
import Testing

@testable import FailoverProxy

@Suite("Durations as loops and sockets count them")
struct LimitTests {
    @Test(
        arguments: [
            (.zero, 0), (.milliseconds(1500), 1_500_000_000), (.seconds(-1), 0), (.nanoseconds(-1), 0),
            (.seconds(Int64.max), 100 * 365 * 86_400 * 1_000_000_000), (.seconds(Int64.min), 0),
            (.seconds(Int64.max) * 8, 100 * 365 * 86_400 * 1_000_000_000),
        ] as [(Duration, UInt64)])
    func nanosecondsAreAtMostAHundredYears(_ duration: Duration, _ expected: UInt64) {
        #expect(duration.nanoseconds == expected)
    }

    @Test(
        arguments: [
            (.milliseconds(1), 1), (.milliseconds(1001), 2), (.zero, 0), (.seconds(-5), 0),
            (.seconds(Int64.max), Int32.max), (.seconds(Int64.min), 0),
        ] as [(Duration, Int32)])
    func wholeUnitsAreThoseThatASocketOptionTakes(_ duration: Duration, _ expected: Int32) {
        #expect(duration.roundedUp(to: .seconds(1)) == expected)
    }
}

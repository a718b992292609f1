import FailoverCore
import Testing

@testable import FailoverSystem

@Suite("Times, addresses and variables from outside")
struct ForeignTextTests {
    @Test(
        arguments: [
            (.zero, "1970-01-01T00:00:00.000Z"), (.milliseconds(-1), "1969-12-31T23:59:59.999Z"),
            (.nanoseconds(-1), "1969-12-31T23:59:59.999Z"), (.milliseconds(1500), "1970-01-01T00:00:01.500Z"),
            (.seconds(Int64.max), "2970-01-08T00:00:00.000Z"), (.seconds(Int64.min), "969-12-24T00:00:00.000Z"),
            (.seconds(67_767_976_233_532_799), "2970-01-08T00:00:00.000Z"),
        ] as [(Duration, String)])
    func everyTimeHasText(_ sinceEpoch: Duration, _ expected: String) {
        #expect(WallTime(sinceEpoch: sinceEpoch).text == expected)
    }

    @Test(arguments: [
        "", "1970-01-01T00:00:00Z", "1970-01-01 00:00:00.000Z", "99999-01-01T00:00:00.000Z",
        "-970-01-01T00:00:00.000Z", "1970-01-01T00:00:00.0000Z",
    ])
    func otherTextIsNoTime(_ text: String) { #expect(WallTime(text: text) == nil) }

    @Test(arguments: ["9999-99-99T99:99:99.999Z", "0000-00-00T00:00:00.000Z", "١٩٧٠-٠١-٠١T٠٠:٠٠:٠٠.٠٠٠Z"])
    func digitsBeyondTheCalendarAreNoTrap(_ text: String) { _ = WallTime(text: text)?.text }

    @Test(arguments: [[], [2], [2, 0], [2, 0, 1], [10, 0, 0, 0], [1, 0], [255, 255]] as [[UInt8]])
    func anAddressThatIsCutOffHasNoIP(_ bytes: [UInt8]) {
        let address = SocketAddress(kernelBytes: bytes)
        #expect(address.ip == nil && address.port == nil)
        #expect(!address.description.isEmpty)
    }

    @Test(arguments: ["", "0", "-1", "9223372036854775808", "soon", "1.5"])
    func otherTextIsNoInterval(_ text: String) { #expect(SystemdNotifier.interval(text) == nil) }

    @Test func theServiceManagersIntervalIsRead() {
        #expect(SystemdNotifier.interval("30000000") == .seconds(30))
        #expect(SystemdNotifier.interval("9223372036854775807") == .microseconds(Int64.max))
    }
}

import FailoverTesting
import Glibc
import Testing

@testable import FailoverSystem

@Suite("The socket of a takeover")
struct DescriptorListenerTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    @Test func aProcessThatHasStoppedListeningLeavesItsSuccessorsSocketAlone() throws {
        let path = scratch.path("takeover")
        let former = try DescriptorListener(path)
        former.stop()
        #expect(access(path, F_OK) != 0)
        let next = try DescriptorListener(path)
        // The former process stops once more at its end.
        former.stop()
        #expect(try DescriptorChannel.connect(path) != nil)
        next.stop()
    }
}

import ArgumentParser
import Testing

@testable import FailoverCommand

@Suite("failover reference")
struct ReferenceCommandTests {
    @Test func isACommandThatHelpDoesNotName() throws {
        #expect(try FailoverTool.parseAsRoot(["reference"]) is Reference)
        #expect((try FailoverTool.parseAsRoot(["reference", "--markdown"]) as? Reference)?.markdown == true)
        #expect(!FailoverTool.helpMessage().contains("reference"))
    }
}

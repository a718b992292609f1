import FailoverTesting
import Testing

@testable import Failover

/// What `scripts/fuzz` starts from, and what it found worth keeping.
@Suite("Inputs of the fuzzer: configuration and takeover")
struct CorpusTests {
    @Test(arguments: try CorpusFile.all(of: FuzzTarget.ofConfiguration))
    func areReadAsTheyMustBe(_ file: CorpusFile) throws { #expect(try file.violation == nil) }
}

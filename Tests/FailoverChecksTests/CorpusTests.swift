import FailoverTesting
import Testing

@testable import FailoverChecks

/// What `scripts/fuzz` starts from, and what it found worth keeping.
@Suite("Inputs of the fuzzer: what pinged servers say")
struct CorpusTests {
    @Test(arguments: try CorpusFile.all(of: FuzzTarget.ofChecks))
    func areReadAsTheyMustBe(_ file: CorpusFile) throws { #expect(try file.violation == nil) }
}

import FailoverTesting
import Testing

@testable import FailoverAdmin

/// What `scripts/fuzz` starts from, and what it found worth keeping.
@Suite("Inputs of the fuzzer: the admin plane")
struct CorpusTests {
    @Test(arguments: try CorpusFile.all(of: FuzzTarget.ofAdmin))
    func areReadAsTheyMustBe(_ file: CorpusFile) throws { #expect(try file.violation == nil) }
}

import FailoverTesting
import Testing

/// What `scripts/fuzz` starts from, and what it found worth keeping.
@Suite("Inputs of the fuzzer: doctor")
struct CorpusTests {
    @Test(arguments: try CorpusFile.all(of: FuzzTarget.ofDoctor))
    func areReadAsTheyMustBe(_ file: CorpusFile) throws { #expect(try file.violation == nil) }
}

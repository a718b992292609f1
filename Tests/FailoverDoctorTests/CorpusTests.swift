import FailoverTesting
import Testing

/// The corpus of `scripts/fuzz`, and inputs that it found.
@Suite("Inputs of the fuzzer: doctor")
struct CorpusTests {
    @Test(arguments: try CorpusFile.all(of: FuzzTarget.ofDoctor))
    func areReadAsTheyMustBe(_ file: CorpusFile) throws { #expect(try file.violation == nil) }
}

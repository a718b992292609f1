import FailoverTesting
import Testing

@testable import FailoverChecks

/// The seeds of `scripts/fuzz`, and inputs that it found.
@Suite("Inputs of the fuzzer: answers of pinged servers")
struct CorpusTests {
    @Test(arguments: try CorpusFile.all(of: FuzzTarget.ofChecks))
    func areReadAsTheyMustBe(_ file: CorpusFile) throws { #expect(try file.violation == nil) }
}

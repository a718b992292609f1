import FailoverTesting
import Testing

@testable import FailoverConfiguration

/// The corpus of `scripts/fuzz`, and inputs that it found.
@Suite("Inputs of the fuzzer: configuration")
struct CorpusTests {
    @Test(arguments: try CorpusFile.all(of: FuzzTarget.ofConfiguration))
    func areReadAsTheyMustBe(_ file: CorpusFile) throws { #expect(try file.violation == nil) }
}

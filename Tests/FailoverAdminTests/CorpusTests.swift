import FailoverTesting
import Testing

@testable import FailoverAdmin

/// The inputs that `scripts/fuzz` starts from, and those that it has found worth keeping.
@Suite("Inputs of the fuzzer: the admin plane")
struct CorpusTests {
    @Test(arguments: try CorpusFile.all(of: FuzzTarget.ofAdmin))
    func areReadAsTheyMustBe(_ file: CorpusFile) throws { #expect(try file.violation == nil) }
}

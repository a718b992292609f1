import FailoverTesting
import Testing

@testable import Failover

/// The corpus of `scripts/fuzz`, and inputs that it found.
@Suite("Inputs of the fuzzer: takeover")
struct CorpusTests {
    @Test(arguments: try CorpusFile.all(of: FuzzTarget.ofTakeover))
    func areReadAsTheyMustBe(_ file: CorpusFile) throws { #expect(try file.violation == nil) }
}

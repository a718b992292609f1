import FailoverTesting
import Testing

@testable import FailoverProxy

/// The seeds of `scripts/fuzz`, and inputs that it found.
@Suite("Inputs of the fuzzer: sessions and their handshakes")
struct CorpusTests {
    @Test(arguments: try CorpusFile.all(of: FuzzTarget.ofProxy))
    func areReadAsTheyMustBe(_ file: CorpusFile) throws { #expect(try file.violation == nil) }

    @Test(arguments: try CorpusFile.all(of: [.mysql]))
    func ofMySQLAreReadByAGuardTooAsTheyMustBe(_ file: CorpusFile) throws {
        #expect(try file.violation(of: .mysqlGuard) == nil)
    }
}

import FailoverTesting
import Testing

@testable import FailoverProxy

/// What `scripts/fuzz` starts from, and what it found worth keeping.
@Suite("Inputs of the fuzzer: sessions and their openings")
struct CorpusTests {
    @Test(arguments: try CorpusFile.all(of: FuzzTarget.ofProxy))
    func areReadAsTheyMustBe(_ file: CorpusFile) throws { #expect(try file.violation == nil) }

    @Test(arguments: try CorpusFile.all(of: [.mysql]))
    func ofMySQLAreReadByAGuardTooAsTheyMustBe(_ file: CorpusFile) throws {
        #expect(try file.violation(of: .mysqlGuard) == nil)
    }
}

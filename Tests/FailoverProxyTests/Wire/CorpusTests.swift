import Foundation
import Testing

@testable import FailoverProxy

/// What `scripts/fuzz` starts from, and what it found worth keeping.
@Suite("Inputs of the fuzzer")
struct CorpusTests {
    @Test(arguments: try Transcript.files(in: "Corpus/mysql"))
    func holdWhatMustHoldOfEveryMySQLSession(_ file: URL) throws {
        #expect(MySQLReader.violation(in: try script(file)) == nil)
    }

    @Test(arguments: try Transcript.files(in: "Corpus/mysql") + Transcript.files(in: "Corpus/mysql-guard"))
    func holdWhatMustHoldOfEveryGuardedSession(_ file: URL) throws {
        #expect(GuardedPlayer.violation(in: try script(file)) == nil)
    }

    @Test(arguments: try Transcript.files(in: "Corpus/postgres"))
    func holdWhatMustHoldOfEveryPostgreSQLSession(_ file: URL) throws {
        #expect(PostgresReader.violation(in: try script(file)) == nil)
    }

    private func script(_ file: URL) throws -> SessionScript {
        try Data(contentsOf: file).withUnsafeBytes { SessionScript(records: $0) }
    }
}

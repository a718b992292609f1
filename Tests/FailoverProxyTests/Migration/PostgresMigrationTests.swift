import FailoverCore
import Testing

@testable import FailoverProxy

private typealias Wire = PostgresWire

/// A session's login at another server, as a pure exchange.
@Suite("Logging a PostgreSQL session in on another server")
struct PostgresMigrationTests {
    private static let startup = Wire.startup()
    private static let parameter = Wire.message("S", Array("in_hot_standby\u{0}off\u{0}".utf8))
    private static let key = Wire.message("K", [0, 0, 0, 9, 5, 6, 7, 8])
    private static let welcome =
        Wire.message("R", [0, 0, 0, 0]) + Wire.message("S", Array("in_hot_standby\u{0}on\u{0}".utf8)) + parameter + key
        + Wire.message("N", [0]) + Wire.ready("I")

    private static func row(_ values: String...) -> [UInt8] { Wire.row(values) }

    /// The answer to the question for the state, with these settings.
    private static func answer(_ settings: [String: String] = [:], more: [UInt8] = []) -> [UInt8] {
        Wire.message("T", [0, 0]) + settings.sorted { $0.key < $1.key }.flatMap { row("setting", $0.key, $0.value) }
            + row("role", "", "none") + row("user", "", "app") + more + Wire.message("C", Array("SELECT 1\u{0}".utf8))
            + Wire.ready("I")
    }

    private func migration(_ settings: [String: String] = [:]) -> PostgresMigration {
        PostgresMigration(startup: Self.startup, state: PostgresState(settings: settings), termination: nil)
    }

    private func connect(_ migration: inout PostgresMigration, byStatement: Bool = false) -> HandshakeStep {
        migration.connected(guarding: byStatement ? .allow : nil, byStatement: byStatement, encryption: nil)
    }

    @Test(arguments: [1, 7, 4096])
    func theServersLastParametersAreForTheClient(size: Int) {
        var migration = migration()
        #expect(connect(&migration) == .awaitBackend(sending: Self.startup))
        var steps: [HandshakeStep] = []
        for start in stride(from: 0, to: Self.welcome.count, by: size) {
            steps.append(migration.backendSent(Array(Self.welcome[start...].prefix(size))))
        }
        #expect(steps.last == .proven(Self.parameter))
        #expect(steps.dropLast().allSatisfy { $0 == .awaitBackend(sending: []) })
        #expect(migration.key == [0, 0, 0, 9, 5, 6, 7, 8])
    }

    @Test func theSettingsAreBroughtBackAndCompared() {
        var migration = migration(["b": "it's", "a": "\\"])
        _ = connect(&migration)
        let restoring =
            "SELECT pg_catalog.set_config('a', E'\\\\', false), pg_catalog.set_config('b', 'it''s', false)"
        #expect(migration.backendSent(Self.welcome) == .awaitBackend(sending: PostgresQuery.bytes(restoring)))
        let asked = migration.backendSent(Self.row("\\", "it's") + Wire.ready("I"))
        #expect(asked == .awaitBackend(sending: PostgresQuery.bytes(PostgresState.question)))
        var differs = migration
        #expect(migration.backendSent(Self.answer(["a": "\\", "b": "it's"])) == .proven(Self.parameter))
        guard case .failed(.unmovable) = differs.backendSent(Self.answer(["a": "\\", "b": "its"])) else {
            Issue.record("another value was accepted")
            return
        }
    }

    @Test func theGuardsStatementComesFirst() {
        var migration = migration(["a": "b"])
        #expect(connect(&migration, byStatement: true) == .awaitBackend(sending: Self.startup))
        let statements = "\(PostgresGuard.statement); SELECT pg_catalog.set_config('a', 'b', false)"
        #expect(migration.backendSent(Self.welcome) == .awaitBackend(sending: PostgresQuery.bytes(statements)))
        var without = self.migration()
        _ = connect(&without, byStatement: true)
        #expect(
            without.backendSent(Self.welcome) == .awaitBackend(sending: PostgresQuery.bytes(PostgresGuard.statement)))
        #expect(without.backendSent(Wire.ready("I")) == .proven(Self.parameter))
    }

    @Test func theUnnamedStatementIsPreparedLast() {
        let statement = Array("SELECT $1\u{0}".utf8) + [0, 0]
        var migration = PostgresMigration(
            startup: Self.startup, state: PostgresState(), unnamed: statement, termination: nil)
        _ = connect(&migration)
        let parse = Wire.message("P", [0] + statement) + Wire.message("S")
        #expect(migration.backendSent(Self.welcome) == .awaitBackend(sending: parse))
        #expect(migration.backendSent(Wire.message("1") + Wire.ready("I")) == .proven(Self.parameter))
    }

    @Test func aServerThatSaysMoreThanItsAnswersIsNotTaken() {
        var migration = migration()
        _ = connect(&migration)
        #expect(migration.backendSent(Self.welcome + [1]) == .failed(.unmovable("it sends more than answers")))
    }

    @Test func whatAServerRefusesIsAFailureOfThatServer() {
        func outcome(_ bytes: [UInt8], _ settings: [String: String] = [:]) -> HandshakeStep {
            var migration = migration(settings)
            _ = connect(&migration)
            return migration.backendSent(bytes)
        }
        #expect(outcome(Wire.error("57P03")) == .failed(.refused(.serverShutdown, "57P03: words")))
        #expect(outcome(Wire.error("53300")) == .failed(.refused(.tooManyConnections, "53300: words")))
        #expect(outcome(Wire.error("28000")) == .failed(.unmovable("28000: words")))
        let login = outcome(Wire.message("R", [0, 0, 0, 10] + Array("SCRAM-SHA-256\u{0}\u{0}".utf8)))
        #expect(login == .failed(.unmovable("the server asks for a login, which the proxy does not have")))
        #expect(outcome(Self.welcome + [1, 0, 0, 0, 1], ["a": "b"]) != .awaitBackend(sending: []))
        var late = migration(["a": "b"])
        _ = connect(&late)
        _ = late.backendSent(Self.welcome)
        #expect(late.backendSent(Wire.error("22023")) == .failed(.unmovable("22023: words")))
        #expect(late.backendLost() == .connect)
        #expect(connect(&late) == .awaitBackend(sending: Self.startup))
    }

    @Test func messagesOfAnImpossibleLengthAreAFailure() {
        for length: [UInt8] in [[0, 0, 0, 3], [0xff, 0xff, 0xff, 0xff]] {
            var migration = migration(["a": "b"])
            _ = connect(&migration)
            _ = migration.backendSent(Self.welcome)
            guard case .failed(.unmovable) = migration.backendSent([UInt8(ascii: "D")] + length) else {
                Issue.record("a length of \(length)")
                continue
            }
        }
    }
}

/// A server's answer to the question for a session's state.
@Suite("Asking a PostgreSQL server for a session's state")
struct PostgresStateQuestionTests {
    private static func row(_ values: String...) -> [UInt8] { Wire.row(values) }

    private func outcome(_ rows: [UInt8], end: [UInt8] = Wire.ready("I")) -> PostgresStateQuestion.Outcome? {
        var question = PostgresStateQuestion(user: "app")
        var outcome: PostgresStateQuestion.Outcome?
        for byte in Wire.message("T", [0, 0]) + rows + Wire.message("C") + end {
            outcome = question.serverSent([byte]).outcome
        }
        return outcome
    }

    @Test func settingsAreRead() {
        let rows = Self.row("setting", "TimeZone", "UTC") + Self.row("role", "", "none") + Self.row("user", "", "app")
        #expect(outcome(rows) == .known(PostgresState(settings: ["TimeZone": "UTC"])))
    }

    @Test(arguments: ["prepared_statements", "cursors", "listens", "advisory_locks", "temporary_tables"])
    func whatPinsASessionIsRead(reason: String) {
        #expect(outcome(Self.row(reason, "", "")) == .known(PostgresState(pinned: PinnedReason(rawValue: reason))))
    }

    @Test func anotherRoleOrUserPinsASession() {
        #expect(outcome(Self.row("role", "", "other")) == .known(PostgresState(pinned: .role)))
        #expect(outcome(Self.row("user", "", "other")) == .known(PostgresState(pinned: .role)))
    }

    @Test func anErrorAndUnexpectedRowsAreARefusal() {
        #expect(outcome(Wire.error("42501")) == .refused("42501: words"))
        #expect(outcome(Self.row("something", "", "")) == .refused("it is not the expected answer"))
        #expect(outcome(Self.row("role", "")) == .refused("it is not the expected answer"))
        #expect(outcome(Wire.message("D", [0, 3, 0, 0, 0, 9, 1])) == .refused("it is not the expected answer"))
    }

    @Test func whatCannotBeAnAnswerEndsTheSession() {
        #expect(outcome([], end: Wire.ready("T")) == .broken)
        #expect(outcome([], end: Wire.ready("I") + [1]) != .known(PostgresState()))
        var question = PostgresStateQuestion(user: "app")
        #expect(question.serverSent([UInt8(ascii: "D"), 0, 0, 0, 0]).outcome == .broken)
    }

    @Test func notificationsAndParametersAreForTheClient() {
        var question = PostgresStateQuestion(user: "app")
        let parameter = Wire.message("S", Array("a\u{0}b\u{0}".utf8))
        let notification = Wire.message("A", [0, 0, 0, 1, 0, 0])
        let (outcome, toClient) = question.serverSent(
            parameter + Wire.message("N", [0]) + notification + Wire.message("T") + Wire.ready("I"))
        #expect(outcome == .known(PostgresState()))
        #expect(toClient == parameter + notification)
    }
}

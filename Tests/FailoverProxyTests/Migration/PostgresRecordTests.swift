import FailoverCore
import Testing

@testable import FailoverProxy

/// What a session's record says after the messages of its client.
@Suite("Records of PostgreSQL sessions")
struct PostgresRecordTests {
    private static let welcome =
        PostgresWire.message("R", [0, 0, 0, 0]) + PostgresWire.message("K", [0, 0, 0, 7, 1, 2, 3, 4]) + PostgresWire.ready("I")

    private static func query(_ text: String) -> [UInt8] { PostgresWire.query(text) }
    private static func parse(_ name: String, _ text: String) -> [UInt8] {
        PostgresWire.message("P", Array(name.utf8) + [0] + Array(text.utf8) + [0, 0, 0])
    }
    private static func bind(_ name: String) -> [UInt8] {
        PostgresWire.message("B", [0] + Array(name.utf8) + [0, 0, 0, 0, 0, 0, 0])
    }
    private static let sync = PostgresWire.message("S")

    /// The record of a session that is logged in, after these messages.
    private func record(after messages: [UInt8], pieces: Bool) -> PostgresRecord {
        let record = PostgresRecord(startup: PostgresWire.startup())
        var reader = PostgresReader()
        Self.welcome.withUnsafeBytes { reader.serverSent($0, record: record) }
        if pieces {
            for byte in messages { withUnsafeBytes(of: byte) { reader.clientSent($0, record: record) } }
        } else {
            messages.withUnsafeBytes { reader.clientSent($0, record: record) }
        }
        return record
    }

    @Test(arguments: [false, true])
    func itIsKnownUntilSomethingMayHaveChangedTheSession(pieces: Bool) {
        let harmless = Self.query("SELECT 1") + Self.parse("", "SELECT $1") + Self.bind("") + Self.sync
        #expect(record(after: [], pieces: pieces).pinned(isAsked: false) == nil)
        #expect(record(after: harmless, pieces: pieces).pinned(isAsked: false) == nil)
        let setting = record(after: harmless + Self.query("SET x = 1") + Self.query("SELECT 1"), pieces: pieces)
        #expect(setting.pinned(isAsked: false) == .unknown)
        #expect(setting.pinned(isAsked: true) == nil)
        setting.learn(PostgresState(settings: ["x": "1"]))
        #expect(setting.pinned(isAsked: false) == nil)
        setting.learn(PostgresState(pinned: .listens))
        #expect(setting.pinned(isAsked: true) == .listens)
    }

    @Test(arguments: [false, true])
    func aNamedStatementIsAPartOfTheState(pieces: Bool) {
        #expect(!record(after: Self.parse("s", "SELECT 1") + Self.sync, pieces: pieces).isKnown)
        #expect(!record(after: PostgresWire.message("F", [0, 0, 0, 1]), pieces: pieces).isKnown)
    }

    @Test(arguments: ["", "s"])
    func aSuspiciousStatementIsSoEachTimeItIsExecuted(name: String) {
        let record = record(after: Self.parse(name, "SET x = 1") + Self.bind(name) + Self.sync, pieces: false)
        #expect(!record.isKnown)
        record.learn(PostgresState())
        #expect(record.isKnown)
        let again = Self.bind(name)
        record.begin(again[0], UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(!record.isKnown)
    }

    @Test(arguments: [false, true])
    func theUnnamedStatementIsKeptUntilTheNextQuery(pieces: Bool) {
        let statement = Array("SELECT $1\u{0}".utf8) + [0, 1, 0, 0, 0, 23]
        let prepared = Self.parse("", "SELECT 2") + PostgresWire.message("P", [0] + statement) + Self.bind("")
        #expect(record(after: prepared + Self.sync, pieces: pieces).unnamed == statement)
        #expect(record(after: prepared + Self.query("SELECT 1"), pieces: pieces).unnamed == [])
        let long = Self.parse("", String(repeating: "a", count: 70_000))
        let pinned = record(after: long + Self.sync, pieces: false)
        #expect(pinned.pinned(isAsked: true) == .preparedStatements)
        #expect(pinned.unnamed == [])
    }

    @Test func whatAServerCannotTellPinsTheSessionForEver() {
        let record = record(after: Self.query("SET app.tenant = '42'"), pieces: false)
        #expect(record.pinned(isAsked: true) == .unknown)
        record.learn(PostgresState())
        #expect(record.pinned(isAsked: true) == .unknown)
    }

    @Test func theSettingOfTheGuardIsNotTheClients() {
        let record = record(after: [], pieces: false)
        record.isGuardedByStatement = true
        record.learn(PostgresState(settings: ["default_transaction_read_only": "on", "a": "b"]))
        #expect(record.state.settings == ["a": "b"])
    }

    @Test func theFirstKeyIsKept() {
        let record = record(after: [], pieces: false)
        #expect(record.key == [0, 0, 0, 7, 1, 2, 3, 4])
        let key = record.key
        [UInt8](repeating: 9, count: 8).withUnsafeBytes { record.keep(key: $0) }
        #expect(record.key == key)
    }

    @Test func aServerThatAsksForALoginPinsTheSession() {
        let record = PostgresRecord(startup: PostgresWire.startup())
        var reader = PostgresReader()
        PostgresWire.message("R", [0, 0, 0, 10, 0]).withUnsafeBytes { reader.serverSent($0, record: record) }
        #expect(record.pinned(isAsked: true) == .login)
    }
}

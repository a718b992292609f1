import FailoverCore
import FailoverSystem
import Testing

@testable import FailoverChecks

@Suite("Which sessions a server attests")
struct BoundaryRowsTests {
    /// The asking connection.
    private static let own = address("192.0.2.7", 40000)
    private static let control = row("192.0.2.7", 40000, isAtBoundary: false, isOwn: true)

    private static func address(_ host: String, _ port: UInt16) -> SocketAddress {
        guard let ip = IPText.bytes(of: host), let address = SocketAddress(ip: ip, port: port) else {
            preconditionFailure("not an address: \(host)")
        }
        return address
    }

    private static func row(
        _ host: String, _ port: Int, isAtBoundary: Bool = true, isOwn: Bool = false
    ) -> BoundaryRow {
        BoundaryRow(
            source: BoundaryRow.Source(hostAndPort: "\(host):\(port)"), isAtBoundary: isAtBoundary, isOwn: isOwn)
    }

    private func attested(
        _ rows: [BoundaryRow], _ sources: [SocketAddress], own: SocketAddress = own,
        control: [BoundaryRow] = [control], isOwnName: (String) -> Bool = { _ in false }
    ) -> BoundaryAnswer {
        BoundaryRows(rows: control + rows).answer(for: sources, own: own, isOwnName: isOwnName)
    }

    private static let source = address("192.0.2.7", 5000)

    @Test func aSessionAtABoundaryIsAttested() {
        #expect(attested([Self.row("192.0.2.7", 5000)], [Self.source]) == .attested([Self.source]))
    }

    @Test func aSessionWithATransactionIsNot() {
        #expect(attested([Self.row("192.0.2.7", 5000, isAtBoundary: false)], [Self.source]) == .attested([]))
    }

    @Test func aMissingSessionIsNot() {
        #expect(attested([], [Self.source]) == .attested([]))
        #expect(attested([Self.row("192.0.2.7", 5001)], [Self.source]) == .attested([]))
    }

    @Test func aSessionThatIsListedTwiceIsNot() {
        let row = Self.row("192.0.2.7", 5000)
        #expect(attested([row, row], [Self.source]) == .attested([]))
        #expect(attested([row, Self.row("192.0.2.7", 5000, isAtBoundary: false)], [Self.source]) == .attested([]))
    }

    @Test func theSamePortOfAnotherMachineIsNot() {
        #expect(attested([Self.row("192.0.2.8", 5000)], [Self.source]) == .attested([]))
        let both = [Self.row("192.0.2.8", 5000), Self.row("192.0.2.7", 5000)]
        #expect(attested(both, [Self.source]) == .attested([Self.source]))
    }

    @Test func onlyWhatIsAskedIsAttested() {
        let rows = [Self.row("192.0.2.7", 5000), Self.row("192.0.2.7", 5001), Self.row("192.0.2.7", 5002)]
        let sources = [Self.source, Self.address("192.0.2.7", 5002), Self.address("192.0.2.7", 5003)]
        #expect(attested(rows, sources) == .attested(Set(sources.dropLast())))
    }

    @Test(arguments: [
        [], [control, control], [row("198.51.100.1", 40000, isOwn: true)], [row("192.0.2.7", 40001, isOwn: true)],
        [BoundaryRow(source: nil, isAtBoundary: false, isOwn: true)],
    ])
    func withoutTheAskingConnectionsOwnAddressTheServerIsBlind(control: [BoundaryRow]) {
        #expect(attested([Self.row("192.0.2.7", 5000)], [Self.source], control: control) == .blind)
    }

    @Test func anOwnAddressOfASocketFileIsBlind() throws {
        let socket = try #require(SocketAddress.unix(path: "/run/s"))
        #expect(attested([Self.row("192.0.2.7", 5000)], [Self.source], own: socket) == .blind)
    }

    @Test func theAskingConnectionItselfIsNeverAttested() {
        let control = Self.row("192.0.2.7", 40000, isAtBoundary: true, isOwn: true)
        #expect(attested([], [Self.own], control: [control]) == .attested([]))
    }

    @Test func addressesAreComparedByTheirBytes() {
        let own = Self.address("2001:db8::7", 40000)
        let control = Self.row("2001:DB8:0:0:0:0:0:7", 40000, isOwn: true)
        let source = Self.address("2001:db8::7", 5000)
        for text in ["2001:db8::7", "2001:0db8:0000:0000:0000:0000:0000:0007", "2001:DB8::0:7"] {
            #expect(attested([Self.row(text, 5000)], [source], own: own, control: [control]) == .attested([source]))
        }
        #expect(attested([Self.row("2001:db8::8", 5000)], [source], own: own, control: [control]) == .attested([]))
    }

    @Test func anIPv4AddressMayBeMappedToIPv6() {
        let mapped = Self.address("::ffff:192.0.2.7", 5000)
        #expect(attested([Self.row("192.0.2.7", 5000)], [mapped]) == .attested([mapped]))
        #expect(attested([Self.row("::ffff:192.0.2.7", 5000)], [Self.source]) == .attested([Self.source]))
        #expect(attested([Self.row("::ffff:c000:207", 5000)], [Self.source]) == .attested([Self.source]))
        #expect(attested([Self.row("::192.0.2.7", 5000)], [Self.source]) == .attested([]))
        let two = [Self.row("::ffff:192.0.2.7", 5000), Self.row("192.0.2.7", 5000)]
        #expect(attested(two, [Self.source]) == .attested([]))
    }

    @Test func hostNamesCountIfTheAskingConnectionsNameIsItsAddress() {
        let control = [Self.row("proxy.example", 40000, isOwn: true)]
        let rows = [
            Self.row("proxy.example", 5000), Self.row("other.example", 5001), Self.row("192.0.2.7", 5002),
            Self.row("proxy.example", 5003), Self.row("192.0.2.7", 5003),
        ]
        let sources = (5000...5003).map { Self.address("192.0.2.7", $0) }
        let isOwnName = { (name: String) in name == "proxy.example" }
        #expect(
            attested(rows, sources, control: control, isOwnName: isOwnName) == .attested([sources[0], sources[2]]))
        // Another source address may have the same name.
        let other = Self.address("192.0.2.8", 5000)
        #expect(attested(rows, [other], control: control, isOwnName: isOwnName) == .attested([]))
        #expect(attested(rows, sources, control: control) == .blind)
        let otherPort = [Self.row("proxy.example", 40001, isOwn: true)]
        #expect(attested(rows, sources, control: otherPort, isOwnName: isOwnName) == .blind)
    }

    @Test func aSocketFileIsNeverAttested() throws {
        let socket = try #require(SocketAddress.unix(path: "/run/s"))
        #expect(attested([BoundaryRow(source: nil, isAtBoundary: true)], [socket]) == .attested([]))
        #expect(BoundaryRows.ports(of: [socket]) == [])
    }

    @Test(arguments: [
        "", ":", "::", ":::", "192.0.2.7", "192.0.2.7:", "192.0.2.7:0", "192.0.2.7:-1", "192.0.2.7:+5",
        "192.0.2.7:65536", "192.0.2.7:99999999999999999999", "192.0.2.7: 5", "192.0.2.7:5x", "192.0.2.7:٥",
        "host name:5", "host\u{0}:5", "192.0.2.7\u{0}:5", "[::1]:5", "fe80::1%eth0:5", "höst:5",
        String(repeating: "a", count: 256) + ":5", "\u{301}:5",
    ])
    func otherTextsAreNoSource(text: String) {
        #expect(BoundaryRow.Source(hostAndPort: text) == nil)
    }

    @Test func theLastColonSeparatesThePort() {
        #expect(BoundaryRow.Source(hostAndPort: "::1:5") == BoundaryRow.Source(Self.address("::1", 5)))
        #expect(BoundaryRow.Source(hostAndPort: "fd00::2:48438") == BoundaryRow.Source(Self.address("fd00::2", 48438)))
        #expect(BoundaryRow.Source(hostAndPort: "localhost:65535") == .name("localhost", port: 65535))
    }

    @Test func portsAreAskedOnceAndInParts() {
        let twice = [Self.source, Self.address("192.0.2.8", 5000)]
        #expect(BoundaryRows.ports(of: twice) == [[5000]])
        let many = (1...2500).map { Self.address("192.0.2.7", $0) }
        #expect(BoundaryRows.ports(of: many).map(\.count) == [1000, 1000, 500])
        #expect(Set(BoundaryRows.ports(of: many).joined()) == Set(1...2500))
    }
}

@Suite("What servers tell of their sessions")
struct BoundaryQuestionTests {
    private let own = SocketAddress(ip: [127, 0, 0, 1], port: 40000)
    private let source = SocketAddress(ip: [127, 0, 0, 1], port: 5000)

    private func postgres(_ row: [String?]..., mayRead: String = "t") throws -> BoundaryAnswer {
        let control = ["127.0.0.1", "40000", "active", "f", "client backend", "t", mayRead]
        return PostgresBoundaries.answer(
            [control] + row.map { $0 + ["f", mayRead] }, for: [try #require(source)], own: try #require(own),
            user: "the \"monitor\"")
    }

    @Test(
        arguments: [
            ("idle", "t", "client backend", true), ("idle", "f", "client backend", false),
            ("idle in transaction", "f", "client backend", false), ("active", "t", "client backend", false),
            ("idle in transaction (aborted)", "t", "client backend", false), ("disabled", "t", "client backend", false),
            ("fastpath function call", "f", "client backend", false), ("starting", "t", "client backend", false),
            (nil, "t", "client backend", false), ("idle", nil, "client backend", false), ("idle", "t", nil, false),
            ("idle", "t", "walsender", false), ("Idle", "t", "client backend", false),
        ] as [(String?, String?, String?, Bool)])
    func onlyIdleWithoutATransactionIsABoundaryInPostgreSQL(
        state: String?, hasNoStart: String?, type: String?, isAtBoundary: Bool
    ) throws {
        let answer = try postgres(["127.0.0.1", "5000", state, hasNoStart, type])
        #expect(answer == .attested(isAtBoundary ? [try #require(source)] : []))
    }

    @Test func whoMayNotReadIsToldTheGrant() throws {
        let hidden = BoundaryAnswer.hidden(remedy: #"GRANT pg_read_all_stats TO "the ""monitor""""#)
        #expect(try postgres(mayRead: "f") == hidden)
        #expect(try postgres([nil, nil, nil, "t", nil], mayRead: "f") == hidden)
    }

    @Test func malformedRowsAttestNothing() throws {
        let (source, own) = (try #require(source), try #require(own))
        func answer(_ rows: [[String?]]) -> BoundaryAnswer {
            PostgresBoundaries.answer(rows, for: [source], own: own, user: "")
        }
        #expect(answer([]) == .blind)
        #expect(answer([["127.0.0.1"]]) == .failed("the list of sessions is inconsistent"))
        #expect(answer([[]]) == .failed("the list of sessions is inconsistent"))
        #expect(try postgres(["127.0.0.1", "-1", "idle", "t", "client backend"]) == .attested([]))
        #expect(try postgres([nil, "5000", "idle", "t", "client backend"]) == .attested([]))
    }

    @Test func theQuestionContainsOnlyNumbers() {
        let question = PostgresBoundaries.question([1, 65535]).query
        #expect(question.contains("a.client_port IN (1,65535) OR"))
        let mysql = MySQLSight.events.question([1, 65535], MySQLVersion("9.7.0"), number: 1)
        #expect(mysql.contains("IN ('1','65535') OR p.ID = CONNECTION_ID()"))
        #expect(mysql.contains("FROM performance_schema.processlist p LEFT JOIN"))
        #expect(
            MySQLSight.events.question([1], MySQLVersion("8.0.21"), number: 1).contains(
                "information_schema.PROCESSLIST"))
        #expect(
            MySQLSight.locks.question([1], MySQLVersion("10.11.6-MariaDB"), number: 1).contains("METADATA_LOCK_INFO"))
    }

    private static let idle = [
        "host": "127.0.0.1:5000", "user": "app", "command": "Sleep", "own": "0", "instrumented": "YES", "locked": "0",
        "active": "0", "statements": "0",
    ]

    @Test func aSleepingSessionWithoutLocksIsABoundaryInMySQL() {
        #expect(MySQLBoundaries.rows([Self.idle]).rows.map(\.isAtBoundary) == [true])
    }

    @Test(
        arguments: [
            ("command", "Query"), ("command", "Binlog Dump"), ("command", "sleep"), ("user", "unauthenticated user"),
            ("instrumented", "NO"), ("locked", "1"), ("active", "1"), ("statements", "1"), ("statements", ""),
            ("command", nil), ("instrumented", nil), ("locked", nil), ("active", nil), ("statements", nil),
        ] as [(String, String?)])
    func anythingElseIsNone(column: String, value: String?) {
        var row = Self.idle
        row[column] = value
        #expect(MySQLBoundaries.rows([row]).rows.map(\.isAtBoundary) == [false])
    }

    @Test func rowsWithoutAHostHaveNoSource() {
        #expect(MySQLBoundaries.rows([["own": "1"], [:]]).rows.map(\.source) == [nil, nil])
        #expect(MySQLBoundaries.rows([["host": "localhost"]]).rows[0].source == nil)
    }
}

import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverChecks

@Suite("Replication status of replicas")
struct ReplicationTests {
    /// The answer of a PostgreSQL replica, with changes by column.
    private func postgres(_ changes: [Int: String?] = [:]) -> PostgresReplication.Answer {
        var row: [String?] = ["t", "t", "streaming", "f", "300", "200", "1.5", "-0.1"]
        for (column, value) in changes { row[column] = value }
        return PostgresReplication.answer(in: [row])
    }

    private func reading(
        _ stopped: String? = nil, known: UInt64? = 300, behind: Duration? = .milliseconds(1500),
        clockBehind: Duration? = .zero
    ) -> PostgresReplication.Answer {
        .reading(
            .init(
                stopped: stopped, behind: behind, positions: .init(known: known, applied: 200),
                clockBehind: clockBehind))
    }

    @Test func postgresTellsPositionsAndTheLastReplay() {
        #expect(postgres() == reading())
        #expect(postgres([6: nil]) == reading(behind: nil))
        #expect(postgres([6: "-0.2"]) == reading(behind: .milliseconds(-200)))
        #expect(postgres([4: nil]) == reading(known: nil))
        #expect(postgres([7: "2.5"]) == reading(clockBehind: .milliseconds(2500)))
        #expect(postgres([7: nil]) == reading(clockBehind: nil))
    }

    @Test func postgresTellsWhyItDoesNotFollow() {
        let cut = "the replica is cut off from its primary: no WAL receiver runs"
        #expect(postgres([1: "f", 2: nil]) == reading(cut, known: nil))
        #expect(postgres([2: "waiting"]) == reading("the WAL receiver is waiting", known: nil))
        #expect(postgres([3: "t"]) == reading("replay is paused"))
    }

    @Test func postgresMayHideItsReceiver() {
        #expect(postgres([2: nil, 4: nil]) == .hidden)
    }

    @Test func aPrimaryHasNoLag() {
        #expect(postgres([0: "f", 1: "f", 2: nil, 3: nil, 5: nil, 6: nil]) == .notReplicating)
    }

    @Test func nonsenseIsNoAnswer() {
        for rows: [[String?]] in [[], [[]], [["t"]], [["x", "t", "streaming", "f", "1", "1", "1", "0"]]] {
            #expect(PostgresReplication.answer(in: rows) == .nonsense)
        }
        #expect(postgres([5: "many"]) == .nonsense)
        #expect(postgres([6: "nan"]) == reading(behind: nil))
        #expect(postgres([6: "1e300"]) == reading(behind: nil))
    }

    @Test func aHeartbeatIsOneNumberOfSeconds() {
        for (value, seconds) in [
            ("3", 3), ("0.25", 0.25), ("-7", 0), ("1e3", 1000), ("+2.", 2), (".5", 0.5), ("0E-20", 0),
        ] {
            let lag = ReplicationReading.Heartbeat.behind(.milliseconds(Int64(seconds * 1000)))
            #expect(HeartbeatAnswer([[value]]) == .heartbeat(lag), "\(value)")
        }
        #expect(HeartbeatAnswer([["1e300"]]) == .heartbeat(.behind(.seconds(10_000_000_000))))
        #expect(HeartbeatAnswer([]) == .heartbeat(.unknown))
        #expect(HeartbeatAnswer([[nil]]) == .heartbeat(.unknown))
        for value in ["", "00:00:01", "nan", "inf", "0x10", "1 ", "one", "."] {
            #expect(HeartbeatAnswer([[value]]) == .mistake("the answer `\(value)` is not a number of seconds"))
        }
        #expect(HeartbeatAnswer([["1"], ["2"]]) == .mistake("the answer has 2 rows instead of one"))
        #expect(HeartbeatAnswer([["1", "2"]]) == .mistake("the answer has 2 columns instead of one"))
    }

    @Test func replicationThatHasStoppedIsAnOutageIfThatIsWanted() throws {
        let attempt = PingAttempt(
            address: SocketAddress(bytes: [], description: ""), peer: "db:5432", deadline: Deadline(.ample),
            request: PingRequest(limit: .ample), progress: PingProgress(peer: "db:5432", limit: .ample),
            secret: Secret("hunter2"))
        let stopped = ReplicationReading(stopped: "no thread\nfor hunter2")
        let lenient = try ReplicationPolicy(maxLag: nil).accepted(stopped, attempt)
        #expect(lenient.stopped == "no thread for (hidden)")
        let strict = ReplicationPolicy(maxLag: nil, whenStopped: .down)
        #expect(try strict.accepted(ReplicationReading(), attempt) == ReplicationReading())
        #expect(throws: PingFailure(.replicationStopped, "db:5432: no thread for (hidden)")) {
            try strict.accepted(stopped, attempt)
        }
    }

    private let mariaDB = [
        "Connection_name": "", "Slave_IO_Running": "Yes", "Slave_SQL_Running": "Yes", "Seconds_Behind_Master": "7",
        "Last_IO_Error": "", "Last_SQL_Error": "",
    ]
    private let mySQL = [
        "Channel_Name": "", "Replica_IO_Running": "Yes", "Replica_SQL_Running": "Yes", "Seconds_Behind_Source": "7",
        "Last_IO_Error": "", "Last_SQL_Error": "",
    ]

    @Test func bothServersTellSeconds() {
        for row in [mariaDB, mySQL] {
            #expect(MySQLReplication.reading([row]) == ReplicationReading(behind: .seconds(7)))
        }
    }

    @Test func theLastErrorSaysWhyAThreadHasStopped() {
        let stopped = mariaDB.merging(
            [
                "Slave_IO_Running": "Connecting", "Last_IO_Error": "error connecting to master",
                "Slave_SQL_Running": "No",
                "Last_SQL_Error": "Duplicate entry",
            ], uniquingKeysWith: { $1 }
        ).filter { $0.key != "Seconds_Behind_Master" }
        let words =
            "the IO thread is connecting: error connecting to master; the SQL thread is stopped: Duplicate entry"
        #expect(MySQLReplication.reading([stopped]).stopped == words)
        let unknown = mySQL.filter { $0.key != "Seconds_Behind_Source" }
        #expect(MySQLReplication.reading([unknown]).stopped == "the server does not report its lag")
    }

    @Test func ofSeveralSourcesTheWorstCounts() {
        func named(_ name: String, _ changes: [String: String]) -> [String: String] {
            mySQL.merging(["Channel_Name": name]) { $1 }.merging(changes) { $1 }
        }
        let rows = [named("a", ["Seconds_Behind_Source": "2"]), named("b", ["Seconds_Behind_Source": "30"])]
        #expect(MySQLReplication.reading(rows) == ReplicationReading(behind: .seconds(30)))
        let stopped = MySQLReplication.reading(rows + [named("c", ["Replica_SQL_Running": "No"])])
        #expect(stopped == ReplicationReading(stopped: "channel c: the SQL thread is stopped"))
    }

    @Test func whoFollowsNobodyHasStopped() {
        #expect(MySQLReplication.reading([]).stopped == "the replica follows no primary")
    }

    /// A channel as MySQL 9.7 and MariaDB 10.11 show it after CHANGE … and nothing else.
    private func never(_ name: String, isMariaDB: Bool, _ changes: [String: String] = [:]) -> [String: String] {
        let terms = isMariaDB ? (name: "Connection_name", replica: "Slave") : (name: "Channel_Name", replica: "Replica")
        let source = isMariaDB ? "Master" : "Source"
        var row = [
            terms.name: name, "\(terms.replica)_IO_Running": "No", "\(terms.replica)_SQL_Running": "No",
            "Last_IO_Error": "", "Last_SQL_Error": "", "\(source)_Server_Id": "0", "Relay_Log_Pos": "4",
            "\(source)_Log_File": "",
        ]
        if !isMariaDB { row["Source_UUID"] = "" }
        return row.merging(changes) { $1 }
    }

    /// Case 13.
    @Test(arguments: [false, true])
    func aChannelThatWasNeverStartedDoesNotCountBesideOneThatRuns(isMariaDB: Bool) {
        let words = isMariaDB ? "Slave" : "Replica"
        let running = [
            "\(words)_IO_Running": "Yes", "\(words)_SQL_Running": "Yes",
            isMariaDB ? "Seconds_Behind_Master" : "Seconds_Behind_Source": "0", "Relay_Log_Pos": "700",
        ]
        let never = never("x", isMariaDB: isMariaDB)
        #expect(MySQLReplication.reading([never, running]) == ReplicationReading(behind: .zero))
        #expect(MySQLReplication.reading([never]).stopped?.contains("the IO thread is stopped") == true)
        let stopped = ["\(words)_IO_Running": "No", "\(words)_SQL_Running": "No", "Relay_Log_Pos": "700"]
        #expect(MySQLReplication.reading([never, stopped]).stopped?.contains("stopped") == true)
        // Each of these channels was started once, or reports an error.
        let source = isMariaDB ? "Master" : "Source"
        for change in [
            ["Relay_Log_Pos": "157"], ["Last_IO_Error": "no such host"], ["Last_SQL_Error": "duplicate key"],
            ["\(source)_Server_Id": "3"], ["\(words)_SQL_Running": "Yes"],
        ] {
            let row = self.never("x", isMariaDB: isMariaDB, change)
            #expect(MySQLReplication.reading([row, running]).stopped?.hasPrefix("channel x: ") == true, "\(change)")
        }
        let met = self.never("x", isMariaDB: false, ["Source_UUID": "3e11fa47-71ca-11e1-9e33-c80aa9429562"])
        if !isMariaDB { #expect(MySQLReplication.reading([met, running]).stopped != nil) }
    }

    /// Case 13.
    @Test(arguments: ["group_replication_recovery", "group_replication_applier"])
    func channelsOfGroupReplicationDoNotCount(name: String) {
        let running = ["Replica_IO_Running": "Yes", "Replica_SQL_Running": "Yes", "Seconds_Behind_Source": "3"]
        let resting = never(name, isMariaDB: false, ["Source_Server_Id": "7", "Relay_Log_Pos": "900"])
        #expect(MySQLReplication.reading([resting, running]) == ReplicationReading(behind: .seconds(3)))
        // A group member without another source: its lag is unknown, and it has not stopped.
        #expect(MySQLReplication.reading([resting]) == ReplicationReading())
    }

    @Test func aMemberOfAGroupIsAsFarBehindAsTheTransactionThatItApplies() {
        func reading(_ changes: [String: String?] = [:]) -> ReplicationReading {
            var row = ["state": "ONLINE", "members": "3", "unreachable": "0", "applier": "ON", "behind": "1500000"]
            for (name, value) in changes { row[name] = value }
            return MySQLGroup(name: "g", [row]).reading
        }
        #expect(reading() == ReplicationReading(behind: .milliseconds(1500)))
        #expect(reading(["behind": nil]) == ReplicationReading(behind: .zero))
        // The primary's clock may be ahead.
        #expect(reading(["behind": "-20"]) == ReplicationReading(behind: .zero))
        #expect(reading(["applier": "OFF"]).stopped == "the applier of the group is stopped")
        #expect(reading(["state": "RECOVERING"]).stopped == "the server's state in its group is RECOVERING")
        #expect(MySQLGroup(name: "g", []).reading.stopped == "the server's state in its group is OFFLINE")
        #expect(reading(["unreachable": "1"]).stopped == nil)
        let lost = "the server cannot reach a majority of its group"
        #expect(reading(["unreachable": "2"]).stopped == lost)
        #expect(reading(["members": "2", "unreachable": "1"]).stopped == lost)
    }
}

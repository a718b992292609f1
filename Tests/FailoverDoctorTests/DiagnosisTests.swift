import FailoverChecks
import FailoverConfiguration
import FailoverCore
import FailoverTLS
import Testing

@testable import FailoverDoctor

/// The findings from facts, one fault at a time.
@Suite("Diagnosis")
struct DiagnosisTests {
    /// One fault, and all findings that it causes.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var engine = DatabaseServer.Engine.postgres
        var primary = ""
        var replica = ""
        var route = ""
        var fault: @Sendable (inout Patient) -> Void = { _ in }
        var found: [String] = []

        init(
            _ description: String, _ engine: DatabaseServer.Engine = .postgres, primary: String = "",
            replica: String = "", route: String = "", finds: [String] = [],
            _ fault: @escaping @Sendable (inout Patient) -> Void = { _ in }
        ) {
            testDescription = description
            (self.engine, self.primary, self.replica, self.route) = (engine, primary, replica, route)
            (self.found, self.fault) = (finds, fault)
        }
    }

    private func check(_ example: Case) throws {
        var patient = try Patient(
            example.engine, primary: example.primary, replica: example.replica, route: example.route)
        example.fault(&patient)
        #expect(patient.found == example.found)
        let diagnosis = patient.diagnosis
        #expect(diagnosis.findings.allSatisfy { !$0.reason.isEmpty && !$0.remedy.isEmpty })
        #expect(diagnosis.hasProblems == diagnosis.findings.contains { $0.level == .problem })
    }

    @Test(arguments: [DatabaseServer.Engine.postgres, .mysql])
    func nothingIsFoundInWhatIsWell(_ engine: DatabaseServer.Engine) throws {
        let diagnosis = try Patient(engine).diagnosis
        #expect(diagnosis.findings.isEmpty && diagnosis.skipped.isEmpty && !diagnosis.hasProblems)
    }

    @Test(arguments: replication)
    func replicasThatAreNone(_ example: Case) throws { try check(example) }

    private static let replication = [
        Case("promoted", finds: ["slave: not-a-replica"]) {
            ($0.replica.topology.isReplica, $0.replica.topology.isReadOnly, $0.replica.topology.timeline) = (
                false, false, 2
            )
        },
        Case("of another cluster", finds: ["slave: follows-another"]) { $0.replica.topology.cluster = "8000" },
        Case("of a cluster that is hidden") { $0.replica.topology.cluster = nil },
        Case("on a later timeline", finds: ["slave: other-timeline"]) { $0.replica.topology.timeline = 2 },
        Case("on an earlier timeline", finds: ["slave: other-timeline"]) { $0.primary.topology.timeline = 2 },
        Case("of a replica that was not asked for its timeline") { $0.replica.topology.timeline = nil },
        Case("stopped", finds: ["slave: replication-stopped"]) { $0.replica.topology.stopped = "replay is paused" },
        Case("follows no server", .mysql, finds: ["slave: not-a-replica"]) {
            ($0.replica.topology.isReplica, $0.replica.topology.sources) = (false, [])
        },
        Case("follows another", .mysql, finds: ["slave: follows-another"]) {
            $0.replica.topology.sources = [.init(host: "db9", port: 3306, serverID: "9")]
        },
        Case("has not met its source yet", .mysql) { $0.replica.topology.sources = [.init(host: "db1", port: 3306)] },
        Case("follows two", .mysql) {
            $0.replica.topology.sources?.append(.init(host: "db9", port: 3306, serverID: "9"))
        },
        Case("stopped", .mysql, finds: ["slave: replication-stopped"]) {
            $0.replica.topology.stopped = "the SQL thread is stopped"
        },
        Case("is the primary itself", finds: ["slave: same-server"]) { $0.replica.identity = $0.primary.identity },
        Case("of a primary that is a replica", finds: ["default: primary-read-only"]) {
            ($0.primary.topology.isReplica, $0.primary.topology.isReadOnly) = (true, true)
        },
        Case("of a primary that is read-only", .mysql, finds: ["default: primary-read-only"]) {
            $0.primary.topology.isReadOnly = true
        },
        Case("of a primary that follows its replica and takes writes", .mysql) {
            $0.primary.topology.isReplica = true
            $0.primary.topology.sources = [.init(host: "db2", port: 3306, serverID: "2")]
        },
    ]

    @Test(arguments: differences)
    func whatDiffers(_ example: Case) throws { try check(example) }

    private static let differences = [
        Case("versions", finds: ["slave: versions-differ"]) { $0.replica.version.series = "14" },
        Case("products", .mysql, finds: ["slave: versions-differ"]) {
            $0.replica.version = .init(product: "MySQL", series: "10.11")
        },
        Case("time zones", finds: ["slave: time-zones-differ"]) { $0.replica.timeZone = "Europe/Berlin" },
        Case("names of one time zone", .mysql) { $0.replica.timeZone = "+00:00" },
        Case("a time zone that is not reported") { $0.replica.timeZone = nil },
        Case("clocks", finds: ["slave: clocks-differ"]) { $0.replica.clock?.offset = .milliseconds(821) },
        Case("clocks, the other way", finds: ["slave: clocks-differ"]) {
            $0.replica.clock?.offset = .milliseconds(-1221)
        },
        Case("clocks, within a second") { $0.replica.clock?.offset = .milliseconds(820) },
        Case("clocks, as far as a slow answer tells") {
            $0.replica.clock = ClockReading(offset: .seconds(5), uncertainty: .seconds(5))
        },
    ]

    @Test(arguments: guards)
    func whatSessionsMeetFirst(_ example: Case) throws { try check(example) }

    private static let guards = [
        Case("an old pooler that no route minds") { $0.primary.refusesReadOnlyParameter = true },
        Case("an old pooler before the replica", route: ", failover_read_only: true") {
            $0.replica.refusesReadOnlyParameter = true
        },
        Case(
            "an old pooler where sessions are kept from writing", route: ", failover_read_only: true",
            finds: ["default: guard-by-statement"]
        ) { $0.primary.refusesReadOnlyParameter = true },
        Case("a header to both", route: ", send_proxy: v2"),
        Case(
            "a header in one of two routes",
            route: ", send_proxy: v2}\n  other: {type: database, db_alias: slave, listen: \"127.0.0.1:6433\"",
            finds: ["default: proxy-headers-differ", "slave: proxy-headers-differ"]),
    ]

    @Test(arguments: combinations)
    func keysThatBiteTogether(_ example: Case) throws { try check(example) }

    private static let combinations = [
        Case("headers from this machine", route: ", accept_proxy: on"),
        Case(
            "headers from anywhere",
            route:
                ", accept_proxy: on}\n  open: {type: database, db_alias: slave, listen: \"*:6433\", accept_proxy: on",
            finds: ["route open: headers-unfenced"]),
        Case(
            "headers from a balancer",
            route: "}\n  open: {type: database, db_alias: slave, listen: \"*:6433\", accept_proxy: on, allow: 10.0.0.1"),
        Case(
            "a stale replica that must not serve", route: ", serve_stale: false", finds: ["route slave: stale-refused"]),
        Case(
            "a password on the way to another machine", primary: ", password: p", finds: ["default: server-unverified"]),
        Case("a password for a server that is known", primary: ", password: p, tls: verify-full"),
    ]

    @Test(arguments: limits)
    func limitsThatDoNotFit(_ example: Case) throws { try check(example) }

    private static let limits = [
        Case("a route that lets in as many as the servers take", route: ", max_connections: 97"),
        Case(
            "a route that lets in more", route: ", max_connections: 98",
            finds: ["default: server-limit", "slave: server-limit"]),
        Case(
            "an alias whose limit is below the route's", primary: ", max_connections: 50",
            route: ", max_connections: 200",
            finds: ["slave: server-limit"]),
        Case("an alias that takes more", .mysql, primary: ", max_connections: 101", finds: ["default: server-limit"]),
        Case("sessions that just fit") { $0.replica.connections?.used = 87 },
        Case("sessions that do not", finds: ["route slave: primary-too-small"]) { $0.replica.connections?.used = 88 },
        Case("a primary that is full, and a replica without sessions") {
            $0.primary.connections?.used = 100
            $0.replica.connections?.used = 0
        },
    ]

    @Test(arguments: logins)
    func whatTheUserMeets(_ example: Case) throws { try check(example) }

    private static let logins = [
        Case("lag is hidden", finds: ["slave: lag-hidden"]) { $0.replica.lagGrant = "GRANT it" },
        Case("a primary's lag is hidden") { $0.primary.lagGrant = "GRANT it" },
        Case("the ping's query fails", finds: ["default: ping-query"]) {
            $0.primary.pingQueryFailure = PingFailure(.query, "no such table")
        },
        Case("errors that count", .mysql, finds: ["slave: max-connect-errors"]) {
            $0.replica.hostBlocking?.limit = 999
        },
        Case("errors that are not counted", .mysql) {
            $0.replica.hostBlocking = HostBlocking(limit: 100, isOn: false, errors: 5)
        },
        Case("errors that were counted", .mysql, finds: ["default: host-cache-errors"]) {
            $0.primary.hostBlocking?.errors = 3
        },
        Case("a lockout", .mysql, finds: ["slave: host-cache-errors"]) { $0.replica.hostBlocking?.refusals = 1 },
        Case("a certificate that ends", finds: ["default: certificate-ends"]) {
            $0.primary.certificate?.ends = WallTime(sinceEpoch: Patient.now.sinceEpoch + .seconds(29 * 86400))
        },
        Case("a certificate that has ended", .mysql, finds: ["slave: certificate-ends"]) {
            $0.replica.certificate?.ends = WallTime(sinceEpoch: Patient.now.sinceEpoch - .seconds(1))
        },
        Case("no TLS") { $0.primary.certificate = nil },
        Case("no login", finds: ["slave: no-login"]) { $0.failures["slave"] = PingFailure(.authentication, "no") },
    ]

    @Test(arguments: hints)
    func whatTheConfigurationLeavesOpen(_ example: Case) throws {
        try check(example)
        #expect(try !Patient(example.engine, replica: example.replica).diagnosis.hasProblems)
    }

    private static let hints = [
        Case("no role", replica: ", max_lag: 10s", finds: ["slave: role-unset"]),
        Case("no limit of lag", replica: ", role: replica", finds: ["slave: max-lag-unset"]),
        Case("neither", .mysql, replica: ", tls: prefer", finds: ["slave: role-unset", "slave: max-lag-unset"]),
        Case(
            "a limit shorter than two pings", replica: ", role: replica, max_lag: 1999ms",
            finds: ["slave: max-lag-short"]),
        Case("a limit of two pings", replica: ", role: replica, max_lag: 2s"),
        Case("hidden states that no route asks for", route: ", attest: false") {
            $0.replica.attestRemedy = "GRANT it"
        },
        Case("states of sessions are hidden", finds: ["default: attest-hidden", "slave: attest-hidden"]) {
            $0.primary.attestRemedy = "GRANT it"
            $0.replica.attestRemedy = "GRANT it"
        },
    ]

    /// Reason and remedy of the only finding.
    private func only(
        _ engine: DatabaseServer.Engine = .postgres, route: String = "", _ fault: (inout Patient) -> Void
    ) throws -> (reason: String, remedy: String) {
        var patient = try Patient(engine, route: route)
        fault(&patient)
        let findings = patient.diagnosis.findings
        try #require(findings.count == 1, "\(findings)")
        return (findings[0].reason, findings[0].remedy)
    }

    @Test func remediesAreForTheVeryServer() throws {
        let hidden = try only { $0.replica.lagGrant = "GRANT pg_read_all_stats TO \"monitor\"" }
        #expect(hidden.remedy == "GRANT pg_read_all_stats TO \"monitor\", on the primary")
        let unseen = try only { $0.replica.attestRemedy = "GRANT pg_read_all_stats TO \"monitor\"" }
        #expect(unseen.remedy == "GRANT pg_read_all_stats TO \"monitor\", on the primary")
        let withoutPlugin = try only(.mysql) { $0.replica.attestRemedy = "INSTALL SONAME 'metadata_lock_info'" }
        #expect(withoutPlugin.remedy == "INSTALL SONAME 'metadata_lock_info'")

        let promoted = try only {
            ($0.replica.topology.isReplica, $0.replica.topology.timeline) = (false, 2)
        }
        #expect(promoted.reason.contains("it was promoted, to timeline 2 (default is on 1)"))
        #expect(promoted.remedy.hasPrefix("pg_basebackup --write-recovery-conf -h db1 -p 5432 "))

        let parted = try only(.mysql) { ($0.replica.topology.isReplica, $0.replica.topology.sources) = (false, []) }
        #expect(parted.remedy.hasPrefix("CHANGE MASTER TO MASTER_HOST = 'db1', MASTER_PORT = 3306, "))

        let full = try only { $0.replica.connections?.used = 90 }
        #expect(full.remedy == "on default: ALTER SYSTEM SET max_connections = 128 and a restart")

        let small = try only(.mysql, route: ", max_connections: 150") { $0.primary.connections?.maximum = 150 }
        #expect(
            small.remedy == "databases.slave.max_connections: 100, or on the server SET GLOBAL max_connections = 150")

        let refused = try only(.mysql) { $0.failures["slave"] = PingFailure(.authentication, "no") }
        #expect(
            refused.remedy == "ALTER USER 'monitor'@'HOST' IDENTIFIED BY '…', with the message's HOST; "
                + "check `name`, the database of the login")
        let silent = try only { $0.failures["slave"] = PingFailure(.timeout(.connecting), "no") }
        #expect(silent.remedy.hasSuffix("nc -vz db2 5432"))
    }

    @Test func whatCannotBeKnownIsSaid() throws {
        var patient = try Patient()
        patient.failures["default"] = PingFailure(.refused, "db1:5432: Connection refused")
        let diagnosis = patient.diagnosis
        #expect(diagnosis.skipped.map(\.subject) == [.alias("default"), .route("slave")])
        #expect(diagnosis.skipped[1].reason == "slave was not compared with default: could not examine default")
    }

    @Test func chainOfKnownServersIsFollowed() throws {
        var patient = try Patient(.mysql)
        patient.replica.topology.sources = [.init(host: "db3", port: 3306, serverID: "3")]
        #expect(patient.found == ["slave: follows-another"])
        var middle = patient.replica
        middle.topology.serverID = "3"
        middle.topology.sources = [.init(host: "db1", port: 3306, serverID: "1")]
        patient.facts.probes["middle"] = ServerProbe(answers: [.init(address: "db3", facts: .success(middle))])
        #expect(patient.found.isEmpty)
    }

    @Test func routesWithAliasesInCommonSayThingsOnce() throws {
        let text = """
            databases:
              default: {engine: postgres, host: db1, user: monitor}
              slave: {engine: postgres, host: db2, user: monitor, role: replica, max_lag: 600s}
            services:
              slave: {type: database, listen: "127.0.0.1:6432"}
              again: {type: database, listen: "127.0.0.1:6433"}
            """
        var patient = try Patient()
        patient.facts.configuration = try Configuration.parse(text, fileName: "failover.yaml", environment: [:])
        patient.replica.timeZone = "Europe/Berlin"
        #expect(patient.found == ["slave: time-zones-differ"])
    }
}

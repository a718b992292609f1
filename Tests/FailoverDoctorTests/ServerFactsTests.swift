import FailoverChecks
import FailoverCore
import FailoverTLS
import Testing

@testable import FailoverDoctor

/// How servers' answers are parsed.
@Suite("Facts of servers")
struct ServerFactsTests {
    @Test func clocksAreComparedAsFarAsTheirAnswersTell() {
        let moment = WallTime(sinceEpoch: .seconds(1000))
        func reading(_ seconds: Double, took: Duration = .milliseconds(200)) -> ClockReading {
            ClockReading(
                server: WallTime(sinceEpoch: .seconds(1000) + .milliseconds(Int64(seconds * 1000))), asked: moment,
                answered: WallTime(sinceEpoch: moment.sinceEpoch + took))
        }
        let reference = reading(0.1)
        #expect(reference == ClockReading(offset: .zero, uncertainty: .milliseconds(100)))
        #expect(reading(5.1).offset == .seconds(5))
        #expect(reading(5.1).surelyApart(from: reference) == .milliseconds(4800))
        #expect(reading(-4.9).surelyApart(from: reference) == .milliseconds(4800))
        #expect(reading(0.2).surelyApart(from: reference) == .zero)
        #expect(reading(5, took: .seconds(10)).surelyApart(from: reference) == .zero)
    }

    @Test func postgresReplica() {
        let row = ["150004", "t", "1795645362.916377", "off", "Asia/Tokyo", "100", "3", "2", "17", "f", nil]
        let facts = PostgresProbe.facts(row, cluster: "7001")
        #expect(facts.version == ServerVersion(product: "PostgreSQL", series: "15"))
        #expect(facts.identity == PostgresProbe.facts(row, cluster: nil).identity)
        #expect(facts.topology.isReplica && facts.topology.isReadOnly && facts.topology.cluster == "7001")
        #expect(facts.topology.timeline == nil)
        #expect(facts.timeZone == "Asia/Tokyo")
        #expect(facts.connections == ConnectionCounts(maximum: 100, reserved: 5, used: 17))
        #expect(facts.connections?.available == 95)
    }

    @Test func postgresPrimary() {
        let row = ["180000", "f", "1", "on", nil, "100", "3", "0", "0", "t", "0000000A"]
        let facts = PostgresProbe.facts(row, cluster: nil)
        #expect(!facts.topology.isReplica && facts.topology.isReadOnly && facts.topology.timeline == 10)
        #expect(facts.timeZone == nil)
    }

    private static let settings = [
        "hostname": "db1", "port": "3306", "datadir": "/var/lib/mysql/", "server_id": "1", "time_zone": "SYSTEM",
        "system_time_zone": "CET", "max_connections": "151", "max_connect_errors": "100", "skip_name_resolve": "0",
        "host_cache_size": "279", "performance_schema": "1",
    ]

    private func role(_ version: String, readOnly: String = "1") throws -> MySQLRole {
        try #require(MySQLRole([["read_only": readOnly, "version": version, "account": "monitor@%"]]))
    }

    @Test(arguments: [
        ("8.4.1", ["Source_Host": "db9", "Source_Port": "3307", "Source_Server_Id": "9"]),
        ("8.0.21", ["Master_Host": "db9", "Master_Port": "3307", "Master_Server_Id": "9"]),
        ("10.11.6-MariaDB", ["Master_Host": "db9", "Master_Port": "3307", "Master_Server_Id": "9"]),
    ])
    func mysqlReplica(_ version: String, _ channel: [String: String]) throws {
        let running = [
            "Replica_IO_Running": "Yes", "Replica_SQL_Running": "Yes", "Seconds_Behind_Source": "0",
            "Slave_IO_Running": "Yes", "Slave_SQL_Running": "Yes", "Seconds_Behind_Master": "0",
        ]
        let facts = MySQLSettings([Self.settings]).facts(
            role: try role(version), channels: [channel.merging(running) { $1 }], hiding: nil)
        #expect(facts.topology.isReplica && facts.topology.isReadOnly && facts.topology.serverID == "1")
        #expect(facts.topology.sources == [.init(host: "db9", port: 3307, serverID: "9")])
        #expect(facts.topology.stopped == nil)
        #expect(facts.timeZone == "CET")
        #expect(facts.version.product == (version.contains("MariaDB") ? "MariaDB" : "MySQL"))
    }

    @Test func mysqlReplicaThatHasNotMetItsSource() throws {
        let channel = ["Master_Host": "db9", "Master_Port": "3306", "Master_Server_Id": "0", "Slave_IO_Running": "No"]
        let facts = MySQLSettings([Self.settings]).facts(
            role: try role("10.11.6-MariaDB"), channels: [channel], hiding: nil)
        #expect(facts.topology.sources == [.init(host: "db9", port: 3306)])
        #expect(facts.topology.stopped?.contains("IO thread") == true)
    }

    @Test func mysqlWhoseSourcesAreHiddenIsAReplicaWhileItIsReadOnly() throws {
        let settings = MySQLSettings([Self.settings])
        let version = "10.11.6-MariaDB"
        #expect(settings.facts(role: try role(version), channels: nil, hiding: nil).topology.isReplica)
        #expect(!settings.facts(role: try role(version, readOnly: "0"), channels: nil, hiding: nil).topology.isReplica)
        #expect(!settings.facts(role: try role(version), channels: [], hiding: nil).topology.isReplica)
    }

    @Test func theSessionThatAsksDoesNotCount() {
        let counts = MySQLSettings([Self.settings]).connections([["Value": "12"]])
        #expect(counts == ConnectionCounts(maximum: 151, reserved: 0, used: 11))
        #expect(MySQLSettings([]).connections([["Value": "12"]]) == nil)
    }

    @Test func hostsAreBlockedWhereTheirErrorsAreCounted() {
        func blocking(_ changes: [String: String], _ version: String, _ errors: [[String: String]]?) -> HostBlocking? {
            MySQLSettings([Self.settings.merging(changes) { $1 }]).hostBlocking(MySQLVersion(version), errors: errors)
        }
        #expect(
            blocking([:], "10.11.6-MariaDB", [["errors": "4", "refusals": "1"]])
                == HostBlocking(limit: 100, isOn: true, errors: 4, refusals: 1, forget: "FLUSH HOSTS"))
        #expect(blocking([:], "8.0.22", [[:]]) == HostBlocking(limit: 100, isOn: true, errors: 0, refusals: 0))
        #expect(blocking([:], "8.0.22", nil) == HostBlocking(limit: 100, isOn: true))
        #expect(blocking([:], "8.4.0", nil)?.forget == "TRUNCATE TABLE performance_schema.host_cache")
        #expect(blocking(["skip_name_resolve": "ON"], "8.4.0", nil)?.isOn == false)
        #expect(blocking(["host_cache_size": "0"], "8.4.0", nil)?.isOn == false)
    }

    @Test func certificatesOfAFileAreRead() {
        let all = CertificateFacts.all(inPEM: Self.pem)
        #expect(all.map(\.subject) == ["/O=Example/CN=db1.internal"])
        #expect(all.map(\.ends) == [WallTime(sinceEpoch: .seconds(1_798_238_436))])
        #expect(CertificateFacts.all(inPEM: "of ours:\n\(Self.pem)\nand again\n\(Self.pem)") == all + all)
        #expect(CertificateFacts.all(inPEM: "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n").isEmpty)
        #expect(CertificateFacts.all(inPEM: "").isEmpty)
    }

    private static let pem = """
        -----BEGIN CERTIFICATE-----
        MIIBqDCCAU2gAwIBAgIUbl6MlYSHNDU7rS+xFxm+NUmSwmAwCgYIKoZIzj0EAwIw
        KTEQMA4GA1UECgwHRXhhbXBsZTEVMBMGA1UEAwwMZGIxLmludGVybmFsMB4XDTI2
        MTEyNTIyNDAzNloXDTI2MTIyNTIyNDAzNlowKTEQMA4GA1UECgwHRXhhbXBsZTEV
        MBMGA1UEAwwMZGIxLmludGVybmFsMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
        JrLPCYI7q9QngOOxFIm5D2/YCN/EWabkgO0PhFPWftXXfzmAVgAevBCL6akjQh7O
        yI1IVftiS6XhGhaXgjVO4KNTMFEwHQYDVR0OBBYEFG7TFx1ZAneXUH/bMLlLw7jk
        o15KMB8GA1UdIwQYMBaAFG7TFx1ZAneXUH/bMLlLw7jko15KMA8GA1UdEwEB/wQF
        MAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhANJumBRgrrjT1DJQH/lE+0O93pvDbnOR
        fhPDMCxahOMKAiEAyeT5f7vALEntZ2F23lJDlZZcpSZfq1RgnGLjR8oxxOY=
        -----END CERTIFICATE-----
        """
}

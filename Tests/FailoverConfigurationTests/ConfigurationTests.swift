import FailoverConfiguration
import FailoverCore
import FailoverSystem
import Foundation
import Testing

struct ConfigurationTests {
    @Test func tenMistakesGetTenLines() throws {
        let url = ConfigurationFixture.folder.appending(path: "invalid/ten-mistakes.yaml")
        let error = #expect(throws: ConfigurationError.self) { try ConfigurationFixture(url: url).load() }
        #expect(error?.problems.count == 10)
        #expect(Set(error?.problems.compactMap(\.line) ?? []).count == 10)
    }

    @Test func defaultsAreThoseOfTheReference() throws {
        let configuration = try parse(
            """
            databases:
              default: {engine: postgres, host: db1, user: monitor}
              slave: {engine: postgres, host: db2, user: monitor}
            services:
              slave: {type: database, listen: "127.0.0.1:6432"}
              search: {type: tcp, host: 10.0.0.9, port: 9200}
            """)
        let slave = configuration.database(named: "slave")
        #expect(slave?.monitor == MonitorSettings())
        #expect(slave?.server.endpoint == .tcp(host: "db2", port: 5432))
        #expect(slave?.server.tls == .prefer)
        #expect(slave?.server.pingQuery == "SELECT 1")
        let route = DatabaseRoute(aliases: ["slave", "default"], listen: [.tcp(host: "127.0.0.1", port: 6432)])
        #expect(configuration.service(named: "slave")?.kind == .database(route))
        let tcp = MonitorSettings.connectOnly
        #expect(configuration.service(named: "search")?.kind == .watched(.tcp(.tcp(host: "10.0.0.9", port: 9200)), tcp))
        #expect(configuration.shutdownGrace == .seconds(30))
        #expect(configuration.log == LogConfiguration())
    }

    @Test func mariadbIsTheEngineMysql() throws {
        let configuration = try parse("databases: {slave: {engine: mariadb, host: db2, user: monitor}}")
        #expect(configuration.database(named: "slave")?.server.engine == .mysql)
        #expect(configuration.database(named: "slave")?.server.endpoint == .tcp(host: "db2", port: 3306))
    }

    @Test func serviceOverridesAliasOverridesTopLevel() throws {
        let configuration = try parse(
            """
            fall: 2
            rise: 2
            error_ping_frequency: 1s
            databases:
              default: {engine: mysql, host: db1, user: monitor}
              slave: {engine: mysql, host: db2, user: monitor, rise: 3, error_ping_frequency: 2s, ping_timeout: 4s}
            services:
              slave: {type: database, listen: "127.0.0.1:6306", error_ping_frequency: 3s}
            """)
        let slave = configuration.database(named: "slave")?.monitor
        #expect(slave?.fall == 2)
        #expect(slave?.rise == 3)
        #expect(slave?.frequencies.errorInterval == .seconds(3))
        #expect(slave?.pingTimeout == .seconds(4))
        let other = configuration.database(named: "default")?.monitor
        #expect(other?.rise == 2)
        #expect(other?.frequencies.errorInterval == .seconds(1))
    }

    @Test func everyKeyIsRead() throws {
        let url = ConfigurationFixture.folder.appending(path: "valid/everything.yaml")
        let configuration = try ConfigurationFixture(url: url).load()
        #expect(configuration.databases.map(\.name) == ["default", "slave", "reports", "redis", "redis-2", "my.sql_1"])
        let server = try #require(configuration.database(named: "default")).server
        #expect(server.password?.reveal() == "from-the-environment")
        #expect(server.tls == .verifyFull)
        #expect(server.role == .primary)
        #expect(configuration.database(named: "slave")?.server.role == .replica)
        #expect(configuration.database(named: "reports")?.server.role == nil)
        let policy = ReplicationPolicy(
            maxLag: .seconds(10), recoversAt: .seconds(4), maxLagBytes: 3 << 20, whenStopped: .down,
            heartbeatQuery: #"SELECT lag FROM "heart".beat -- seconds"#)
        #expect(configuration.database(named: "slave")?.server.replication == policy)
        #expect(configuration.database(named: "reports")?.server.replication == ReplicationPolicy(maxLag: .seconds(60)))
        #expect(server.replication == nil)
        #expect(configuration.database(named: "default")?.maxConnections == 50)
        #expect(configuration.database(named: "slave")?.maxConnections == nil)
        #expect(configuration.databases.map(\.weight) == [1, 3, 1, 1, 1, 1])
        #expect(configuration.databases.map(\.monitor.fall) == [3, 5, 5, 3, 1, 3])
        #expect(server.tlsAuthorities?.hasSuffix("/files/ca.pem") == true)
        #expect(server.pingQuery == "SELECT 'it''s \\ \"up\"', 1 -- é")
        #expect(configuration.database(named: "slave")?.server.password?.reveal() == "from-a-file")
        #expect(configuration.database(named: "slave")?.server.endpoint == .tcp(host: "2001:db8::5", port: 5432))
        let several = configuration.database(named: "my.sql_1")?.server
        #expect(several?.place == "localhost:3306, db2:3307, [2001:db8::7]:3306")
        #expect(configuration.database(named: "reports")?.server.password?.reveal() == "on")
        #expect(configuration.database(named: "redis")?.monitor.outagePingTimeout == .seconds(3))
        #expect(configuration.database(named: "redis")?.monitor.frequencies.outageLoggingInterval == .seconds(600))
        var route = DatabaseRoute(
            aliases: ["slave", "reports", "default"],
            preferredCount: 2,
            balance: BalanceSettings(policy: .roundRobin, slowStart: .seconds(30)),
            minReplicas: 2,
            servesStale: true,
            listen: [
                .tcp(host: "127.0.0.1", port: 6432), .tcp(host: "::1", port: 6432), .unix(path: "/run/failover/slave"),
                .tcp(host: "0.0.0.0", port: 7432),
            ],
            allow: SourceNetworks([
                SourceNetworks.Network(address: [10, 0, 0, 0], prefixLength: 8),
                SourceNetworks.Network(address: [UInt8](repeating: 0, count: 15) + [1], prefixLength: 128),
            ]),
            maxConnections: 100, maxConnectionsPerSource: 9, connectionRatePerSource: 4,
            session: SessionSettings(
                connectTimeout: .milliseconds(250), greetingTimeout: .seconds(2), clientStartupTimeout: .seconds(5),
                idleTimeout: .seconds(600), halfCloseTimeout: .seconds(3), tcpUserTimeout: nil,
                stallTimeout: .seconds(300), keepalive: nil, onOutage: .keep, onRecovery: .close,
                drainIdle: .milliseconds(250), drainBusyAfter: .seconds(10), drainDeadline: .seconds(60), attest: false,
                drainRate: 7, queueTimeout: .seconds(20), sendProxy: .v2,
                acceptProxy: true, failoverReadOnly: true, readOnlyOpaque: .refuse),
            errorTriggers: [.connectRefused, .reset, .earlyClose])
        let files = url.deletingLastPathComponent().path + "/../files"
        route.clientTLS = ClientTLSSettings(
            certificate: "\(files)/ca.pem", key: "\(files)/proxy.key", clientAuthorities: "\(files)/ca.pem",
            isRequired: true, minVersion: .v13, maxHandshakes: 16)
        #expect(configuration.service(named: "slave")?.kind == .database(route))
        #expect(configuration.workerThreads == 3)
        #expect(configuration.maxBufferMemory == 32 << 20)
        #expect(configuration.shutdownGrace == .zero)
    }

    @Test func zeroWorkerThreadsIsOnePerCore() throws {
        let services = "services: {search: {type: tcp, host: a, port: 1}}"
        let threads = try parse("worker_threads: 0\n" + services).workerThreads
        #expect(threads >= 1)
        #expect(try parse(services).workerThreads == threads)
    }

    @Test func renderingHidesSecrets() throws {
        let configuration = try parse(
            "databases: {a: {engine: mysql, host: db, user: monitor, password: hunter2}}")
        #expect(!configuration.rendered().contains("hunter2"))
        #expect(configuration.rendered().contains("password: \"(hidden)\""))
        #expect(!"\(configuration)".contains("hunter2"))
    }

    @Test(arguments: ["secrets", "unknown-keys", "databases"])
    func noProblemHoldsASecret(name: String) {
        let url = ConfigurationFixture.folder.appending(path: "invalid/\(name).yaml")
        let problems = ConfigurationFixture(url: url).problems()
        #expect(!problems.isEmpty)
        for secret in ["hunter2", "xxxxx", "caf", "u:secret"] { #expect(!problems.contains(secret)) }
    }

    @Test func shippedExamplesArePingedFast() throws {
        let folder = ConfigurationFixture.folder.appending(path: "../../../config")
        let url = folder.appending(path: "failover.yaml").standardized
        let slave = try ConfigurationFixture(url: url).load().database(named: "slave")
        let frequencies = PingFrequencies(
            monitoringInterval: .seconds(2), outageInterval: .seconds(1), errorInterval: .milliseconds(250))
        let expected = MonitorSettings(frequencies: frequencies, fall: 2, pingTimeout: .seconds(2))
        #expect(slave?.monitor == expected)
    }

    @Test func hugeTextIsRefused() {
        let text = String(repeating: "# comment\n", count: 110_000)
        let error = #expect(throws: ConfigurationError.self) { try parse(text) }
        #expect(error?.description == "failover.yaml: the file is larger than 1 MiB")
    }

    @Test func thousandsOfUnknownKeysAreAllReported() {
        let text = (0..<2000).map { "key_number_\($0): x\n" }.joined()
        let error = #expect(throws: ConfigurationError.self) { try parse(text) }
        #expect(error?.problems.count == 2001)
    }

    @Test func truncatedFileIsReadOrRefused() throws {
        let url = ConfigurationFixture.folder.appending(path: "valid/everything.yaml")
        let text = try String(contentsOf: url, encoding: .utf8)
        for length in stride(from: 0, to: text.count, by: 13) {
            _ = try? Configuration.parse(String(text.prefix(length)), fileName: url.path, environment: [:])
        }
    }

    private func parse(_ text: String) throws(ConfigurationError) -> Configuration {
        try Configuration.parse(text, fileName: "failover.yaml", environment: [:])
    }
}

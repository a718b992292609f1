import FailoverConfiguration
import FailoverCore
import Foundation
import Testing

struct ConfigurationFileTests {
    private static let examples = ConfigurationFixture.folder.appending(path: "../../../config").standardized

    @Test(arguments: try ConfigurationFixture.all(in: ConfigurationFixture.folder.appending(path: "valid")))
    func validFileIsAccepted(fixture: ConfigurationFixture) {
        #expect(fixture.problems() == "")
    }

    @Test(arguments: try ConfigurationFixture.all(in: examples))
    func exampleIsAccepted(fixture: ConfigurationFixture) {
        #expect(fixture.problems() == "")
    }

    @Test(arguments: try ConfigurationFixture.all(in: ConfigurationFixture.folder.appending(path: "invalid")))
    func invalidFileIsRejectedWithTheExpectedLines(fixture: ConfigurationFixture) throws {
        let expected = fixture.url.deletingPathExtension().appendingPathExtension("expected")
        let found = fixture.problems()
        if ConfigurationFixture.isRecording { try found.write(to: expected, atomically: true, encoding: .utf8) }
        #expect(try found == String(contentsOf: expected, encoding: .utf8))
    }

    @Test(arguments: try ConfigurationFixture.all(in: ConfigurationFixture.folder.appending(path: "valid")))
    func renderedConfigurationReadsBackAsItself(fixture: ConfigurationFixture) throws {
        let configuration = try fixture.load()
        let rendered = configuration.rendered()
        let again = try Configuration.parse(rendered, fileName: "rendered.yaml", environment: [:])
        #expect(again == configuration.withSecretsHidden)
        #expect(!rendered.contains("secret"))
        #expect(!rendered.contains("p@ss") && !rendered.contains("p%40ss"))
        #expect(again.rendered() == rendered)
    }

    @Test func absentFileIsOneProblemWithoutALine() {
        let error = #expect(throws: ConfigurationError.self) { try Configuration.load(path: "/nowhere/failover.yaml") }
        #expect(error?.description == "/nowhere/failover.yaml: No such file or directory")
    }

    @Test func folderIsNoFile() {
        let error = #expect(throws: ConfigurationError.self) { try Configuration.load(path: "/tmp") }
        #expect(error?.description == "/tmp: Is a directory")
    }

    @Test func endlessFileIsRefused() {
        let error = #expect(throws: ConfigurationError.self) { try Configuration.load(path: "/dev/zero") }
        #expect(error?.description == "/dev/zero: larger than 1 MiB")
    }

    @Test func commandsNeedOnlyTheAdminSection() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try """
        databases: {slave: {engine: postgres, hots: db2, user: monitor, password: {env: MONITOR_PASSWORD}}}
        admin: {listen: ["127.0.0.1:8404"], token: {env: ADMIN_TOKEN}}
        """.write(to: file, atomically: true, encoding: .utf8)
        let admin = try Configuration.loadAdmin(path: file.path, environment: ["ADMIN_TOKEN": "long-enough"])
        #expect(admin?.listen == [.tcp(host: "127.0.0.1", port: 8404)])
        #expect(admin?.token?.reveal() == "long-enough")

        let error = #expect(throws: ConfigurationError.self) {
            try Configuration.loadAdmin(path: file.path, environment: [:])
        }
        #expect(error?.problems.map(\.keyPath) == ["admin.token.env"])
        try "services: {}".write(to: file, atomically: true, encoding: .utf8)
        #expect(try Configuration.loadAdmin(path: file.path, environment: [:]) == nil)
    }

    @Test func configurationSaysWhereItsSecretsAre() throws {
        let folder = ConfigurationFixture.folder.appending(path: "valid").path
        func locations(_ name: String) throws -> [SecretPlace] {
            try Configuration.loadNotingSecrets(
                path: "\(folder)/\(name).yaml", environment: ConfigurationFixture.environment
            ).secrets
        }
        #expect(
            try locations("everything") == [
                SecretPlace(keyPath: "databases.slave.password", file: "\(folder)/../files/password"),
                SecretPlace(keyPath: "databases.reports.password", file: nil),
                SecretPlace(keyPath: "databases.my.sql_1.password", file: nil),
                SecretPlace(keyPath: "services.slave.client_tls.key", file: "\(folder)/../files/proxy.key"),
            ])
        // The other secrets are in the environment, and an address is not a secret.
        #expect(
            try locations("watched").map(\.keyPath) == [
                "notify[1].url", "services.celery.url", "services.sessions-tls.url",
            ])
    }
}

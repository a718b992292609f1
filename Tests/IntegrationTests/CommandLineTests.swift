import FailoverTesting
import Foundation
import Testing

/// What the command line prints and exits with.
@Suite("The command line", .timeLimit(.minutes(5)))
struct CommandLineTests {
    /// - Parameter variables: environment variables, in addition to those that the shipped configurations need.
    private func failover(
        _ arguments: String..., adding variables: [String: String] = [:]
    ) async throws -> Command.Output {
        let needed = ["MONITOR_PASSWORD": "x", "LAB_MONITOR_PASSWORD": "x", "FAILOVER_ADMIN_TOKEN": "example-token"]
        return try await Command.run(
            [FailoverProcess.binary] + arguments, environment: needed.merging(variables) { $1 })
    }

    private func withConfiguration(
        _ text: String, _ body: (String) async throws -> Void
    ) async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("failover-\(UUID()).yaml")
        try text.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        try await body(file.path)
    }

    @Test func versionIsPrinted() async throws {
        let output = try await failover("--version")
        #expect(output.status == 0)
        #expect(output.standardOutput.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }

    @Test func wrongUsageIs64() async throws {
        #expect(try await failover("serve", "--now").status == 64)
        #expect(try await failover("fly").status == 64)
        #expect(try await failover("ping", "-c", "\(Laboratory.root)/config/minimal.yaml", "nobody").status == 64)
    }

    @Test(arguments: ["failover", "minimal", "services", "lab-postgres", "lab-mysql"])
    func theShippedConfigurationsAreValid(_ name: String) async throws {
        let output = try await failover("validate", "--config", "\(Laboratory.root)/config/\(name).yaml")
        #expect(output.status == 0, "\(output.standardError)")
    }

    /// The reference names every key, so also the files of a certificate, which are read.
    @Test func theReferenceIsValid() async throws {
        let scratch = try Scratch()
        let (certificate, key) = (scratch.path("proxy.crt"), scratch.path("proxy.key"))
        let made = try await Command.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=proxy"]
                + ["-keyout", key, "-out", certificate])
        #expect(made.status == 0, "\(made.standardError)")
        var text = try String(contentsOfFile: "\(Laboratory.root)/config/reference.yaml", encoding: .utf8)
        for (path, file) in [("proxy.crt", certificate), ("proxy.key", key), ("clients-ca.crt", certificate)] {
            #expect(text.contains("/etc/failover/\(path)"))
            text = text.replacingOccurrences(of: "/etc/failover/\(path)", with: file)
        }
        try await withConfiguration(text) { file in
            let output = try await failover("validate", "--config", file)
            #expect(output.status == 0, "\(output.standardError)")
        }
    }

    @Test func everyProblemHasALineAndTheStatusIs78() async throws {
        let text = """
            rise: 0
            fall: many
            worker_threads: -1
            databases:
              default: {engine: oracle, host: a, port: 70000, user: x}
              slave: {engine: postgres, hots: b, user: x}
            services:
              slave: {type: database, db_alias: nobody, listen: "here", connect_timeout: soon}
              search: {type: tcp, host: 127.0.0.1}

            """
        try await withConfiguration(text) { path in
            for command in ["validate", "serve", "ping"] {
                let output = try await failover(command, "--config", path)
                #expect(output.status == 78)
                let lines = output.standardError.split(separator: "\n")
                #expect(lines.count == 10, "\(output.standardError)")
                #expect(lines.allSatisfy { $0.hasPrefix("\(path):") })
            }
        }
    }

    @Test func keysThatBiteTogetherGetAWarningAndTheStatusIsZero() async throws {
        let text = """
            databases: {a: {engine: tcp, host: 127.0.0.1, port: 1}}
            services: {a: {type: database, db_alias: a, failover_db_alias: [], listen: "*:2", accept_proxy: on}}

            """
        try await withConfiguration(text) { path in
            let output = try await failover("validate", "--config", path)
            #expect(output.status == 0)
            #expect(output.standardOutput == "\(path) is valid\n")
            #expect(
                output.standardError.hasPrefix("warning: route a: any machine that connects to "),
                "\(output.standardError)")
        }
    }

    @Test func anUnreadableSecretIs78() async throws {
        let text = "databases: {a: {engine: postgres, host: b, user: x, password: {file: /nonexistent/secret}}}\n"
        try await withConfiguration(text) { path in
            let output = try await failover("serve", "--config", path)
            #expect(output.status == 78)
            #expect(output.standardError.contains("databases.a.password"))
        }
    }

    @Test func printedConfigurationsHideSecrets() async throws {
        let text = "databases: {a: {engine: postgres, host: b, user: x, password: hunter2}}\n"
        try await withConfiguration(text) { path in
            let output = try await failover("validate", "--print", "--config", path)
            #expect(output.status == 0)
            #expect(output.standardOutput.contains("(hidden)"))
            #expect(!output.standardOutput.contains("hunter2"))
        }
    }

    /// In a process of its own, because other tests read this process's environment on other threads.
    @Test func commandsGetNeitherSecretsNorWhatClientsOfDatabasesRead() async throws {
        let scratch = try Scratch()
        let told = scratch.path("environment")
        let text = """
            databases:
              a: {engine: postgres, host: b, user: x, password: {env: TEST_SECRET}}
              b: {engine: mysql, host: b, user: x, password: {env: MYSQL_TEST_LOGIN_FILE}}
            notify: [{type: command, run: [/bin/sh, -c, "env > \(told)"]}]

            """
        try await withConfiguration(text) { path in
            let output = try await failover(
                "notify-test", "--config", path,
                adding: [
                    "TEST_OPEN": "open=yes", "TEST_SECRET": "hunter2", "PGPASSWORD": "hunter3", "PGHOSTADDR": "1",
                    "MYSQL_TEST_LOGIN_FILE": "hunter4", "MARIADB_PLUGIN_DIR": "1", "LIBMYSQL_PLUGIN_DIR": "1",
                    "REDISCLI_AUTH": "hunter5",
                ])
            // The configuration can still use the removed variables.
            #expect(output.status == 0, "\(output.standardError)")
            let variables = try String(contentsOfFile: told, encoding: .utf8).split(separator: "\n")
            #expect(variables.contains("TEST_OPEN=open=yes"))
            #expect(variables.contains { $0.hasPrefix("PATH=") })
            #expect(!variables.contains { $0.contains("hunter") }, "\(variables)")
            let clients = ["PG", "MYSQL_", "MARIADB_", "LIBMYSQL_"]
            #expect(!variables.contains { variable in clients.contains { variable.hasPrefix($0) } }, "\(variables)")
        }
    }

    @Test func pingTellsTheReasonAndExitsWithOneWhenSomethingIsDown() async throws {
        try await withConfiguration("services: {search: {type: tcp, host: 127.0.0.1, port: 1}}\n") { path in
            let output = try await failover("ping", "--config", path)
            #expect(output.status == 1)
            #expect(
                output.standardOutput.contains(
                    /\nsearch +tcp +down +\S+ +refused +127\.0\.0\.1:1: Connection refused\n/))
        }
    }

    @Test func aListenerAddressInUseIsOneLineAndStatusOne() async throws {
        let text = """
            databases: {a: {engine: tcp, host: 127.0.0.1, port: 1}}
            services:
              first: {type: database, db_alias: a, failover_db_alias: [], listen: "127.0.0.1:0"}
              second: {type: database, db_alias: a, failover_db_alias: [], listen: "192.0.2.1:7000"}

            """
        try await withConfiguration(text) { path in
            let output = try await failover("serve", "--config", path)
            #expect(output.status == 1)
            let lines = output.standardError.split(separator: "\n")
            #expect(lines.count == 1)
            #expect(
                lines.first?.hasSuffix(
                    "cannot listen on 192.0.2.1:7000: Cannot assign requested address; "
                        + "this machine has no such address") == true)
        }
    }
}

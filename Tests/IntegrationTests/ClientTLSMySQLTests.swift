import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// What the clients of MariaDB and MySQL say of TLS that ends at the proxy.
    @Suite("TLS that ends at the proxy, with MariaDB's and MySQL's clients")
    struct ClientTLSMySQLTests {
        /// The engines that speak MySQL's protocol.
        static let engines = Laboratory.Engine.allCases.filter { $0 != .postgres }

        /// The name of an engine's own client.
        enum Client: String, CaseIterable {
            case mariadb
            /// Oracle's.
            case mysql

            /// Those that can log in to a server of the engine. Oracle's has no mysql_native_password.
            static func all(for engine: Laboratory.Engine) -> [Client] { engine == .mysql ? allCases : [.mariadb] }

            /// The option for a session in clear text.
            var inClear: [String] { self == .mariadb ? ["--skip-ssl"] : ["--ssl-mode=DISABLED"] }
            /// The options for TLS with any certificate.
            var encrypted: [String] {
                self == .mariadb ? ["--ssl", "--skip-ssl-verify-server-cert"] : ["--ssl-mode=REQUIRED"]
            }
            /// The options for TLS with a certificate for the host's name.
            func verifying(_ authority: String) -> [String] {
                let mode = self == .mariadb ? "--ssl-verify-server-cert" : "--ssl-mode=VERIFY_IDENTITY"
                return [mode, "--ssl-ca=\(authority)"]
            }
        }

        private let certificates: ProxyCertificates

        init() throws { certificates = try ProxyCertificates() }

        /// What a client reads of its server: its port, compression, and the version of the proxy's TLS with it.
        private func ask(
            _ client: Client, _ options: [String], at port: Int, user: String = "app"
        ) async throws -> Command.Output {
            let query = """
                select @@port; show status where variable_name in ('Compression', 'Ssl_version')
                """
            let password = user == "app" ? "app-secret" : "monitor-secret"
            return try await Command.run(
                ["timeout", "240", client.rawValue, "--no-defaults"] + options
                    + [
                        "--protocol=TCP", "-h", "localhost", "-P", "\(port)", "-u", user, "-BNe", query,
                        // Without this option, MariaDB's client takes it for a login without a password.
                        "--password=\(password)",
                    ])
        }

        private func expectServed(
            _ client: Client, _ options: [String], by engine: Laboratory.Engine, at port: Int, user: String = "app",
            version: String = "TLSv1.3", compression: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let output = try await ask(client, options, at: port, user: user)
            let expected = [
                "\(engine.replicaPort)", "Compression\t\(compression ? "ON" : "OFF")", "Ssl_version\t\(version)",
            ]
            let lines = output.standardOutput.split(separator: "\n").map(String.init)
            #expect(lines == expected, "\(client) \(options) \(user): \(output)", sourceLocation: sourceLocation)
        }

        private func expectError(
            _ message: String, _ client: Client, _ options: [String], at port: Int,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let output = try await ask(client, options, at: port)
            #expect(output.status == 1, "\(client) \(options): \(output)", sourceLocation: sourceLocation)
            #expect(
                output.standardError.contains(message), "\(client) \(options): \(output)",
                sourceLocation: sourceLocation)
        }

        @Test(arguments: engines)
        func everyModeOfTheClientsIsServed(_ engine: Laboratory.Engine) async throws {
            let failover = try certificates.start(engine, servers: "prefer")
            let port = try await failover.port()
            let (authority, others) = (certificates.path("ca.pem"), certificates.path("others.pem"))
            for client in Client.all(for: engine) {
                let encrypted = client.encrypted
                try await expectServed(client, encrypted, by: engine, at: port)
                try await expectServed(client, client.verifying(authority), by: engine, at: port)
                try await expectServed(client, encrypted + ["--tls-version=TLSv1.2"], by: engine, at: port)
                try await expectServed(client, encrypted + ["--compress"], by: engine, at: port, compression: true)
                try await expectError("ERROR 2026 (HY000)", client, client.verifying(others), at: port)
            }
            // The server gets a login in clear text.
            try await expectServed(.mariadb, ["--skip-ssl"], by: engine, at: port, version: "")
            if engine == .mariadb {
                try await expectServed(
                    .mariadb, Client.mariadb.encrypted, by: engine, at: port, user: "monitor_ed25519")
            }
            try await failover.end()
        }

        @Test(arguments: engines)
        func driversCheckTheCertificateAndChangeTheUser(_ engine: Laboratory.Engine) async throws {
            let failover = try certificates.start(engine)
            let program = "\(Laboratory.root)/Tests/IntegrationTests/Clients/tls_mysql.py"
            let output = try await Command.run([
                "timeout", "240", "/usr/bin/python3", "-B", program, "\(try await failover.port())",
                certificates.path("ca.pem"),
            ])
            let users = ["app", "monitor", "app", "app"]
            let expected = ["pymysql app TLSv1.3"] + users.map { "connector \($0) TLSv1.3" }
            #expect(output.standardOutput.split(separator: "\n").map(String.init) == expected, "\(output)")
            try await failover.end()
        }

        @Test(arguments: engines)
        func aRouteThatRequiresTLSRefusesClearTextAndOlderVersions(_ engine: Laboratory.Engine) async throws {
            let failover = try certificates.start(
                engine, "require: true, min_version: \"1.3\"", servers: "prefer")
            let port = try await failover.port()
            for client in Client.all(for: engine) {
                let message = "ERROR 3159 (HY000): connections in clear text are prohibited: this route requires TLS"
                try await expectError(message, client, client.inClear, at: port)
                let old = client.encrypted + ["--tls-version=TLSv1.2"]
                try await expectError("alert protocol version", client, old, at: port)
                try await expectServed(client, client.encrypted, by: engine, at: port)
            }
            try await failover.end()
        }

        /// With MySQL, both connections are encrypted or neither is.
        @Test(arguments: engines)
        func aServerThatRequiresTLSHasNoClientsInClearText(_ engine: Laboratory.Engine) async throws {
            let failover = try certificates.start(engine, servers: "require")
            let port = try await failover.port()
            for client in Client.all(for: engine) {
                let message = "ERROR 3159 (HY000): connections in clear text are prohibited: the server requires TLS"
                try await expectError(message, client, client.inClear, at: port)
                try await expectServed(client, client.encrypted, by: engine, at: port)
            }
            try await failover.end()
        }

        @Test(arguments: engines)
        func onlyClientsWithACertificateOfTheAuthorityAreServed(_ engine: Laboratory.Engine) async throws {
            let authority = "client_ca: \(certificates.path("clients.pem")), require: true"
            let failover = try certificates.start(engine, authority)
            let port = try await failover.port()
            for client in Client.all(for: engine) {
                func identity(_ name: String) -> [String] {
                    client.encrypted
                        + ["--ssl-cert=\(certificates.path("\(name).pem"))"]
                        + ["--ssl-key=\(certificates.path("\(name).key"))"]
                }
                let refused = [("late", "certificate expired"), ("stranger", "unknown ca"), ("own", "unknown ca")]
                // Oracle's client does not tell why: the alert arrives after its side of the handshake.
                func message(_ alert: String) -> String { client == .mariadb ? "alert \(alert)" : "ERROR 2013 (HY000)" }
                for (name, alert) in refused {
                    try await expectError(message(alert), client, identity(name), at: port)
                }
                try await expectError(message("certificate required"), client, client.encrypted, at: port)
                try await expectServed(client, identity("app"), by: engine, at: port)
            }
            #expect(await failover.logs("has the certificate /CN=app"))
            try await failover.end()
        }

        /// MariaDB's client verifies the certificate by default since 11.4; without an authority, by the server's proof
        /// that it knows the password.
        @Test(.enabled(if: Laboratory.isNewest, "only a laboratory of today's servers has such a client"))
        func mariaDBsClientOfTodayVerifiesByDefault() async throws {
            for certificate in ["server", "proxy"] {
                let failover = try certificates.start(.mariadb, certificate: certificate)
                let port = try await failover.port()
                if certificate == "server" { try await expectServed(.mariadb, [], by: .mariadb, at: port) }
                try await expectServed(.mariadb, ["--ssl-ca=\(certificates.path("ca.pem"))"], by: .mariadb, at: port)
                let others = ["--ssl-ca=\(certificates.path("others.pem"))"]
                try await expectError("ERROR 2026 (HY000)", .mariadb, others, at: port)
                try await failover.end()
            }
        }

        /// caching_sha2_password sends the password itself within TLS, unless the server has it in its cache.
        @Test(.enabled(if: Laboratory.Engine.mysql.isUp, "only a laboratory of today's servers has MySQL"))
        func passwordsPassWithAnEmptyAndAFullCache() async throws {
            let engine = Laboratory.Engine.mysql
            let failover = try certificates.start(engine, certificate: "proxy")
            let port = try await failover.port()
            for client in Client.allCases {
                try await engine.administer("flush local privileges", at: .replica)
                for _ in 0..<2 { try await expectServed(client, client.encrypted, by: engine, at: port) }
            }
            // The monitor of other tests logs in without encryption, for which the server needs its cache.
            let monitor = try await ask(
                .mysql, Client.mysql.encrypted, at: engine.replicaPort, user: "monitor")
            #expect(monitor.status == 0, "\(monitor)")
            try await failover.end()
        }
    }
}

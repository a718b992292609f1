import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// What pings see of the TLS of real servers.
    @Suite("TLS of the pings")
    struct CertificateTests {
        private struct Entry: Decodable, Equatable {
            let name: String
            let tls_version: String?
            let certificate_ends: String?
        }

        private struct Status: Decodable {
            struct Route: Decodable {
                let aliases: [Entry]
            }
            let routes: [Route]
        }

        private let scratch: Scratch

        init() throws { scratch = try Scratch() }

        /// When a certificate ends, as OpenSSL's program reads it: `2027-01-02T03:04:05.000Z`.
        private func end(ofCertificate file: String) async throws -> String {
            let output = try await Command.run([
                "openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in", file,
            ])
            // notAfter=2027-01-02 03:04:05Z
            let date = output.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines).dropFirst(9).dropLast()
            return date.replacing(" ", with: "T") + ".000Z"
        }

        private func entries(of failover: FailoverProcess) async throws -> [Entry] {
            let json = try await failover.command("status", "--json").standardOutput
            return try JSONDecoder().decode(Status.self, from: Data(json.utf8)).routes.flatMap(\.aliases)
        }

        private func configuration(_ engine: Laboratory.Engine, primary: String, replica: String) -> String {
            """
            admin: {listen: "unix:\(scratch.path("admin"))"}
            \(engine.configuration(primary: primary, replica: replica))
            """
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func pingAndStatusAndMetricsShowTheVersionAndTheEndOfTheCertificate(_ engine: Laboratory.Engine) async throws {
            let authority = ProcessInfo.processInfo.environment["LAB_TLS_CA"] ?? ""
            let failover = try FailoverProcess(
                configuration: configuration(
                    engine, primary: "tls: verify-full, tls_ca: \(authority)", replica: "tls: disable"))
            _ = try await failover.port()
            #expect(try await eventually { try await failover.command("status", "--ready").status == 0 })

            let end = try await end(ofCertificate: "\(Laboratory.directory)/tls/server.pem")
            let expected = [
                Entry(name: "default", tls_version: "TLSv1.3", certificate_ends: end),
                Entry(name: "slave", tls_version: nil, certificate_ends: nil),
            ]
            let ping = try await failover.command("ping", "--json").standardOutput
            #expect(try JSONDecoder().decode([Entry].self, from: Data(ping.utf8)) == expected)
            #expect(try await entries(of: failover) == expected.reversed())

            let table = try await failover.command("ping").standardOutput
            #expect(table.contains(/NAME +TYPE +STATE +TIME +TLS +CERTIFICATE +REASON +DETAIL\n/), "\(table)")
            let date = end.prefix(10)
            #expect(table.contains("  TLSv1.3  until \(date)  "), "\(table)")
            let status = try await failover.command("status").standardOutput
            #expect(status.contains(/ALIAS +STATE +SESSIONS +ADDRESS +TLS +CERTIFICATE\n/), "\(status)")
            #expect(status.contains("127.0.0.1:\(engine.primaryPort)  TLSv1.3  until \(date)\n"), "\(status)")
            #expect(status.contains("127.0.0.1:\(engine.replicaPort)\n"), "\(status)")

            let metrics = try await Command.run(
                ["curl", "-sS", "--unix-socket", scratch.path("admin"), "http://localhost/metrics"]
            ).standardOutput
            let seconds = try Int(#require(FailoverProcess.seconds(end)))
            #expect(
                metrics.split(separator: "\n").filter { $0.hasPrefix("failover_certificate_end") }
                    == ["failover_certificate_end_timestamp_seconds{alias=\"default\"} \(seconds)"])
            try await failover.end()
        }

        /// The server gets another certificate while it runs, as after a renewal.
        @Test(arguments: Laboratory.Engine.allCases)
        func aRenewedCertificateShowsAtTheNextPing(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(
                configuration: configuration(engine, primary: "tls: disable", replica: "tls: require"))
            _ = try await failover.port()
            let (ask, reload) =
                switch engine {
                case .postgres: ("show ssl_cert_file", "select pg_reload_conf()")
                // Without `local` the statement would be a transaction of the replica's own, and end its replication.
                case .mariadb: ("select @@ssl_cert", "flush local ssl")
                case .mysql: ("select @@ssl_cert", "alter instance reload tls")
                }
            let file = try await engine.administer(ask, at: .replica)
            let key = file.replacing(/\.pem$/, with: ".key")
            let (new, old) = (scratch.path("new.pem"), scratch.path("old.pem"))
            let made = try await Command.run([
                "openssl", "req", "-x509", "-key", key, "-days", "3", "-subj", "/CN=localhost", "-out", new,
            ])
            #expect(made.status == 0, "\(made.standardError)")
            let before = try await end(ofCertificate: file)
            let after = try await end(ofCertificate: new)
            #expect(after < before)
            @Sendable func shows(_ end: String) async throws -> Bool {
                try await entries(of: failover).contains(
                    Entry(name: "slave", tls_version: "TLSv1.3", certificate_ends: end))
            }
            #expect(try await eventually { try await shows(before) })

            // The file keeps its owner and its permissions.
            _ = try await Command.run(["cp", file, old])
            _ = try await Command.run(["cp", new, file])
            let reloaded = try await Command.run(engine.administration(reload, at: .replica))
            let isShown = try? await eventually { try await shows(after) }
            _ = try await Command.run(["cp", old, file])
            try await engine.administer(reload, at: .replica)
            #expect(reloaded.status == 0, "\(reloaded.standardError)")
            #expect(isShown == true)
            #expect(try await eventually { try await shows(before) })
            try await failover.end()
        }
    }
}

import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// What libpq says of TLS that ends at the proxy.
    @Suite("TLS that ends at the proxy, with libpq")
    struct ClientTLSPostgresTests {
        private static let engine = Laboratory.Engine.postgres

        private let certificates: ProxyCertificates

        init() throws { certificates = try ProxyCertificates() }

        /// What psql says: the version of TLS with the proxy, and the server's answer.
        private func psql(_ parameters: String, at port: Int) async throws -> Command.Output {
            let query = "select inet_server_port(), ssl from pg_stat_ssl where pid = pg_backend_pid()"
            // A later keyword replaces an earlier one.
            let place = "host=localhost hostaddr=127.0.0.1 port=\(port) user=app dbname=app \(parameters)"
            return try await Command.run(
                ["timeout", "240", "psql", "-XAt", place, "-c", "\\conninfo", "-c", query],
                environment: ["PGPASSWORD": "app-secret", "PGSSLROOTCERT": certificates.path("ca.pem")])
        }

        /// - Parameters:
        ///   - version: of TLS with the proxy; `nil` if the client is in clear text.
        ///   - isServerEncrypted: whether the connection from the proxy to the server is.
        private func expectServed(
            _ parameters: String, at port: Int, version: String? = "TLSv1.3", isServerEncrypted: Bool = true,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let output = try await psql(parameters, at: port)
            let answer = "\(Self.engine.replicaPort)|\(isServerEncrypted ? "t" : "f")\n"
            #expect(output.standardOutput.hasSuffix(answer), "\(parameters): \(output)", sourceLocation: sourceLocation)
            let found = output.standardOutput.firstMatch(of: /TLSv[0-9.]+/).map { String($0.output) }
            #expect(found == version, "\(parameters): \(output)", sourceLocation: sourceLocation)
        }

        private func expectError(
            _ message: String, _ parameters: String, at port: Int, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let output = try await psql(parameters, at: port)
            #expect(output.status == 2, "\(parameters): \(output)", sourceLocation: sourceLocation)
            #expect(output.standardError.contains(message), "\(parameters): \(output)", sourceLocation: sourceLocation)
        }

        @Test func everyModeIsServedWithTheCertificateOfTheServer() async throws {
            let failover = try certificates.start(.postgres)
            let port = try await failover.port()
            for mode in ["disable", "allow"] { try await expectServed("sslmode=\(mode)", at: port, version: nil) }
            for mode in ["prefer", "require", "verify-ca", "verify-full"] {
                try await expectServed("sslmode=\(mode)", at: port)
                try await expectServed("sslmode=\(mode) channel_binding=require", at: port)
            }
            try await expectServed("sslmode=require ssl_max_protocol_version=TLSv1.2", at: port, version: "TLSv1.2")
            if Laboratory.isNewest {
                // TLS without a request for it; PostgreSQL 17.
                for mode in ["require", "verify-full"] {
                    try await expectServed("sslmode=\(mode) sslnegotiation=direct channel_binding=require", at: port)
                }
            }
            try await failover.end()
        }

        @Test func aClientThatChecksTheNameOrTheAuthorityLeaves() async throws {
            let failover = try certificates.start(.postgres)
            let port = try await failover.port()
            try await expectError(
                "does not match host name \"elsewhere\"", "host=elsewhere sslmode=verify-full", at: port)
            let others = "sslmode=verify-ca sslrootcert=\(certificates.path("others.pem"))"
            try await expectError("certificate verify failed", others, at: port)
            try await expectServed("sslmode=verify-full", at: port)
            try await failover.end()
        }

        @Test func anExpiredCertificateOfTheProxyIsRefusedByClientsThatCheckIt() async throws {
            let failover = try certificates.start(.postgres, certificate: "expired")
            let port = try await failover.port()
            for mode in ["verify-ca", "verify-full"] {
                try await expectError("certificate verify failed", "sslmode=\(mode)", at: port)
            }
            // The server has another certificate.
            let unchecked = "sslmode=require sslrootcert=/nonexistent channel_binding=disable"
            try await expectServed(unchecked, at: port)
            try await failover.end()
        }

        /// SCRAM signs the certificate that the client sees. The server compares it with its own.
        @Test func withAnotherCertificateTheServerRefusesChannelBinding() async throws {
            let failover = try certificates.start(.postgres, certificate: "proxy")
            let port = try await failover.port()
            let message = "FATAL:  SCRAM channel binding check failed"
            for mode in ["require", "verify-full"] { try await expectError(message, "sslmode=\(mode)", at: port) }
            try await expectError(message, "sslmode=require channel_binding=require", at: port)
            try await expectServed("sslmode=verify-full channel_binding=disable", at: port)
            try await failover.end()
        }

        /// A server in clear text offers no channel binding.
        @Test func withAServerInClearTextAnyCertificateServes() async throws {
            let failover = try certificates.start(.postgres, certificate: "proxy", servers: "disable")
            let port = try await failover.port()
            for mode in ["prefer", "require", "verify-full"] {
                try await expectServed("sslmode=\(mode)", at: port, isServerEncrypted: false)
            }
            try await expectError(
                "channel binding is required, but server did not offer an authentication method that supports",
                "sslmode=require channel_binding=require", at: port)
            try await failover.end()
        }

        @Test func aRouteThatRequiresTLSRefusesClearText() async throws {
            let failover = try certificates.start(.postgres, "require: true")
            let port = try await failover.port()
            let message = "FATAL:  this route serves encrypted connections only"
            try await expectError(message, "sslmode=disable", at: port)
            for mode in ["allow", "prefer", "require"] { try await expectServed("sslmode=\(mode)", at: port) }

            // psql does not print the code.
            let client = try await TCPClient.connect(port: port)
            let startup: [UInt8] = [0, 3, 0, 0] + "user\0app\0\0".utf8
            try await client.send([0, 0, 0, UInt8(startup.count + 4)] + startup)
            let answer = try await client.receiveText(40)
            #expect(answer.contains("C28000\0"), "\(answer)")
            try await failover.end()
        }

        /// Both servers refuse a client of protocol 2.0, within TLS.
        @Test func theNextServerIsAskedWhenOneRefusesWithinTLS() async throws {
            let failover = try certificates.start(.postgres)
            let client = try await TCPClient.connect(port: try await failover.port())
            try await client.send([0, 0, 0, 8, 0, 2, 0, 0])
            let length = try await client.receive(5).dropFirst().reduce(0) { $0 << 8 | Int($1) } - 4
            let answer = try await client.receiveText(max(0, length))
            for alias in ["slave", "default"] {
                #expect(answer.contains("\(alias): FATAL: unsupported frontend protocol 2.0"), "\(answer)")
            }
            try await failover.end()
        }

        @Test func olderVersionsThanTheRoutesAreRefused() async throws {
            let failover = try certificates.start(.postgres, "require: true, min_version: \"1.3\"")
            let port = try await failover.port()
            let message = "alert protocol version"
            try await expectError(message, "sslmode=require ssl_max_protocol_version=TLSv1.2", at: port)
            #expect(await failover.logs("unsupported protocol"))
            try await expectServed("sslmode=require", at: port)
            try await failover.end()
        }

        @Test func onlyClientsWithACertificateOfTheAuthorityAreServed() async throws {
            let authority = "client_ca: \(certificates.path("clients.pem")), require: true"
            let failover = try certificates.start(.postgres, authority)
            let port = try await failover.port()
            func identity(_ name: String) -> String {
                "sslmode=require sslcert=\(certificates.path("\(name).pem")) sslkey=\(certificates.path("\(name).key"))"
            }
            for (name, alert) in [("late", "certificate expired"), ("stranger", "unknown ca"), ("own", "unknown ca")] {
                try await expectError("alert \(alert)", identity(name), at: port)
            }
            try await expectError("alert certificate required", "sslmode=require", at: port)
            for version in ["TLSv1.2", "TLSv1.3"] {
                let parameters = "\(identity("app")) ssl_max_protocol_version=\(version)"
                try await expectServed(parameters, at: port, version: version)
            }
            #expect(await failover.logs("has the certificate /CN=app"))
            #expect(await failover.logs("certificate not accepted: certificate has expired"))
            try await failover.end()
        }
    }
}

import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// What openssl(1) can agree on with the proxy.
    @Suite("TLS that ends at the proxy, with openssl")
    struct ClientTLSProtocolTests {
        private let certificates: ProxyCertificates

        init() throws { certificates = try ProxyCertificates() }

        /// What `openssl s_client` prints, without unprintable bytes.
        ///
        /// - Parameters:
        ///   - input: what it sends within TLS, as printf(1) reads it.
        ///   - isDirect: whether it begins with TLS, without a request in clear text.
        private func openssl(
            _ options: String, to engine: Laboratory.Engine, at port: Int, input: String = "", isDirect: Bool = false
        ) async throws -> String {
            let request = isDirect ? "" : "-starttls \(engine == .postgres ? "postgres" : "mysql")"
            let command = "timeout 240 openssl s_client -connect 127.0.0.1:\(port) \(request) \(options)"
            let script = "printf '\(input)' | \(command) 2>&1 | LC_ALL=C tr -cd '\\n -~'"
            return try await Command.run(["bash", "-c", script]).standardOutput
        }

        /// Begins a session that the server ends, so that all of the proxy's tickets arrive.
        private func shortSession(_ options: String, to engine: Laboratory.Engine, at port: Int) async throws -> String
        {
            // Protocol 2.0 of PostgreSQL; a login of MySQL that is no login.
            let input = engine == .postgres ? #"\0\0\0\010\0\2\0\0"# : #"\1\0\0\2\0"#
            return try await openssl("-ign_eof \(options)", to: engine, at: port, input: input)
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func onlyVersionsAndCiphersWithoutKnownFlawsAreAccepted(_ engine: Laboratory.Engine) async throws {
            let failover = try certificates.start(engine, certificate: "rsa", servers: "prefer")
            let port = try await failover.port()
            let modern = try await openssl("", to: engine, at: port)
            #expect(modern.contains("New, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256\n"), "\(modern)")
            #expect(modern.contains("Compression: NONE\nExpansion: NONE\n"), "\(modern)")

            let anything = "-cipher ALL:@SECLEVEL=0"
            for version in ["-tls1", "-tls1_1"] {
                let text = try await openssl("\(version) \(anything)", to: engine, at: port)
                #expect(text.contains("alert protocol version"), "\(version): \(text)")
            }
            for cipher in ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"] {
                let text = try await openssl("-tls1_2 -cipher \(cipher)", to: engine, at: port)
                #expect(text.contains("New, TLSv1.2, Cipher is \(cipher)\n"), "\(text)")
                #expect(text.contains("Compression: NONE\nExpansion: NONE\n"), "\(text)")
            }
            // The key exchange of RSA has no forward secrecy; CBC; no authentication; no encryption.
            for cipher in [
                "AES128-GCM-SHA256", "AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "ADH-AES128-SHA",
                "NULL-SHA256",
            ] {
                let text = try await openssl("-tls1_2 -cipher \(cipher):@SECLEVEL=0", to: engine, at: port)
                #expect(text.contains("alert handshake failure"), "\(cipher): \(text)")
            }
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func aClientCannotRenegotiate(_ engine: Laboratory.Engine) async throws {
            let failover = try certificates.start(engine, servers: "prefer")
            let port = try await failover.port()
            // A line with an R lets the program begin another handshake.
            let text = try await openssl("-tls1_2", to: engine, at: port, input: "R\\n")
            #expect(text.contains("RENEGOTIATING\n"), "\(text)")
            #expect(text.contains(":no renegotiation:"), "\(text)")
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func aTicketContinuesASessionAndIsNoObstacleAfterAReload(_ engine: Laboratory.Engine) async throws {
            func configuration(_ more: String) -> String {
                """
                admin: {listen: "unix:\(certificates.path("admin"))"}
                \(engine.configuration(route: "\(certificates.route()), \(more)"))
                """
            }
            let failover = try FailoverProcess(configuration: configuration("idle_timeout: 1h"))
            let port = try await failover.port()
            for version in ["-tls1_3", "-tls1_2"] {
                let ticket = certificates.path("session\(version)")
                let first = try await shortSession("\(version) -sess_out \(ticket)", to: engine, at: port)
                #expect(first.contains("New, TLSv1."), "\(first)")
                let second = try await shortSession("\(version) -sess_in \(ticket)", to: engine, at: port)
                #expect(second.contains("Reused, TLSv1."), "\(second)")
            }
            // A ticket of the proxy allows no data before the end of the handshake.
            let ticket = try await Command.run([
                "openssl", "sess_id", "-noout", "-text", "-in", certificates.path("session-tls1_3"),
            ])
            #expect(ticket.standardOutput.contains("Max Early Data: 0\n"), "\(ticket)")

            try failover.configure(configuration("idle_timeout: 2h"))
            #expect(try await failover.command("reload").status == 0)
            for version in ["-tls1_3", "-tls1_2"] {
                let ticket = certificates.path("session\(version)")
                let third = try await shortSession("\(version) -sess_in \(ticket)", to: engine, at: port)
                #expect(third.contains(/\nReused, TLSv1\./), "\(third)")
            }
            try await failover.end()
        }

        /// A client of another protocol has come to the wrong server; PostgreSQL's documentation, "ALPN".
        @Test func aClientThatBeginsWithTLSNamesPostgreSQLsProtocol() async throws {
            let failover = try certificates.start(.postgres)
            let port = try await failover.port()
            func direct(_ options: String) async throws -> String {
                try await openssl(options, to: .postgres, at: port, isDirect: true)
            }
            let named = try await direct("-alpn postgresql")
            #expect(named.contains("ALPN protocol: postgresql\n"), "\(named)")
            // The log tells the first of several failures.
            _ = try await direct("-ign_eof")
            #expect(await failover.logs("the client does not name its protocol"))
            let other = try await direct("-alpn http/1.1")
            #expect(other.contains("alert no application protocol"), "\(other)")
            try await failover.end()
        }
    }
}

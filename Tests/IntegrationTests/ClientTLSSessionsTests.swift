import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Sessions whose TLS ends at the proxy, which reads them.
    @Suite("TLS that ends at the proxy, and sessions")
    struct ClientTLSSessionsTests {
        private let certificates: ProxyCertificates

        init() throws { certificates = try ProxyCertificates() }

        private func client(_ program: String, _ arguments: String...) async throws -> [String] {
            let path = "\(Laboratory.root)/Tests/IntegrationTests/Clients/\(program)"
            let output = try await Command.run(["timeout", "560", "/usr/bin/python3", "-B", path] + arguments)
            #expect(output.status == 0, "\(output)")
            return output.standardOutput.split(separator: "\n").map(String.init)
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func theProxyKnowsTheTransactionBoundary(_ engine: Laboratory.Engine) async throws {
            let admin = certificates.path("admin")
            let tls = "tls: require"
            let failover = try FailoverProcess(
                configuration: """
                    admin: {listen: "unix:\(admin)"}
                    \(engine.configuration(primary: tls, replica: tls, route: certificates.route()))
                    """)
            let port = try await failover.port()
            #expect(try await client("boundary.py", engine.rawValue, "\(port)", admin) == ["yes", "no", "yes"])
            try await failover.end()
        }

        /// Handshakes wait for each other, and no session waits for all of them.
        @Test func aRushOfHandshakesIsServedWhileSessionsWork() async throws {
            let engine = Laboratory.Engine.postgres
            let tls = "tls: require"
            // On a busy machine the last handshake takes long.
            let route = "\(certificates.route()), client_startup_timeout: 200s"
            let failover = try FailoverProcess(
                configuration: engine.configuration(primary: tls, replica: tls, route: route))
            let lines = try await client("tls_rush.py", "\(try await failover.port())", "2000", "20")
            #expect(lines.first == "2000 served")
            print(lines.dropFirst().joined(separator: "; "))
            try await failover.end()
        }
    }
}

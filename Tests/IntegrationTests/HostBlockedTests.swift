import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// The addresses that MariaDB blocks, with a server in a network of its own.
    @Suite("max_connect_errors")
    struct HostBlockedTests {
        /// Case 21: every client received error 1129, "Host is blocked".
        @Test func clientsThatLeaveBeforeTheyLogInGetNobodyBlocked() async throws {
            try await expectNobodyBlocked(ways: 4)
        }

        @Test func clientsThatLeaveWhileTheirTLSBeginsGetNobodyBlockedEither() async throws {
            try await expectNobodyBlocked(ways: 5, "tls")
        }

        /// - Parameter ways: in which the clients leave.
        private func expectNobodyBlocked(ways: Int, _ mode: String...) async throws {
            let scratch = try Scratch()
            let program = "\(Laboratory.root)/Tests/IntegrationTests/Clients/host_blocked.py"
            let output = try await Command.run(
                [
                    "timeout", "280", "unshare", "--net", "--mount", "/usr/bin/python3", "-B", program,
                    FailoverProcess.binary, scratch.path("."),
                ] + mode)
            let lines = output.standardOutput.split(separator: "\n")
            #expect(lines.count == ways + 1, "\(output)")
            for line in lines.dropLast() { #expect(line.hasSuffix(": served"), "\(line)") }
            // The server does count errors.
            #expect(lines.last?.contains("1129") == true, "\(lines)")
        }
    }
}

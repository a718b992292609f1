import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Servers behind a load balancer that accepts only connections with a PROXY header, with a real HAProxy.
    @Suite("send_proxy")
    struct ProxyHeaderTests {
        private let scratch: Scratch

        init() throws { scratch = try Scratch() }

        /// HAProxy in front of a server.
        private func balancer(before port: Int) throws -> (port: UInt16, process: ChildProcess) {
            let listener = UnusedPort().port
            let file = scratch.path("haproxy-\(port).cfg")
            try """
            defaults
              mode tcp
              timeout connect 10s
              timeout client 60s
              timeout server 60s
            listen l
              bind 127.0.0.1:\(listener) accept-proxy
              server s 127.0.0.1:\(port)

            """.write(toFile: file, atomically: true, encoding: .utf8)
            let process = try ChildProcess(
                ["haproxy", "-db", "-f", file], output: "/dev/null", error: scratch.path("haproxy.log"))
            return (listener, process)
        }

        /// Case 22: both aliases were down after four seconds, and all clients were refused.
        @Test(arguments: Laboratory.Engine.allCases, ["v1", "v2"])
        func pingsBeginWithAHeaderWhereSessionsDo(_ engine: Laboratory.Engine, version: String) async throws {
            let balancers = [try balancer(before: engine.primaryPort), try balancer(before: engine.replicaPort)]
            defer { for balancer in balancers { balancer.process.signal(SIGKILL) } }
            for balancer in balancers {
                #expect(await eventually { (try? await TCPClient.connect(port: Int(balancer.port))) != nil })
            }
            let failover = try FailoverProcess(
                configuration: "admin: {listen: \"unix:\(scratch.path("admin-\(version)"))\"}\n"
                    + engine.configuration(
                        pingTimeout: "3s", primary: "tls: prefer", route: "send_proxy: \(version)",
                        ports: balancers.map(\.port)))
            let port = try await failover.port()
            #expect(await eventually { (try? await engine.whoAnswers(at: port)) == engine.replicaPort })
            // Several successful pings.
            let wasWell = try await eventually {
                let output = try await failover.command("ping", "slave")
                return output.status == 0
            }
            #expect(wasWell)
            #expect(try await failover.command("ping", "default").status == 0)
            #expect(!failover.log.contains { $0.contains("CRITICAL") }, "\(failover.log)")
            try await failover.end()
        }
    }
}

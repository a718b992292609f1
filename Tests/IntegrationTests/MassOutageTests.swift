import FailoverTesting
import Testing

/// Needs no real server, but the machine for itself.
extension RealServers {
    @Suite("Many outages at once")
    struct MassOutageTests {
        private let aliases = 500

        /// Case 36: they were told after 52 s, and SIGTERM took as long. `scripts/bench mass` measures the time; what
        /// is compared here does not depend on what else the machine does.
        @Test func fiveHundredCostLittleMoreThanTheirStart() async throws {
            let scratch = try Scratch()
            let (replica, primary) = (EchoBackend(), EchoBackend())
            func lines(_ line: (Int) -> String) -> String { (0..<aliases).map { "  \(line($0))\n" }.joined() }
            let failover = try FailoverProcess(
                configuration: """
                    monitoring_ping_frequency: 500ms
                    fall: 1
                    databases:
                      default: {engine: tcp, host: 127.0.0.1, port: \(primary.port), ping_timeout: 60s}
                    \(lines { "r\($0): {engine: tcp, host: 127.0.0.1, port: \(replica.port), ping_timeout: 60s}" })\
                    services:
                    \(lines {
                        "s\($0): {type: database, db_alias: r\($0), failover_db_alias: default, "
                            + "listen: 'unix:\(scratch.path("\($0)"))'}"
                    })
                    """)
            #expect(await eventually { replica.connections >= aliases })
            let start = try failover.processorTime()
            replica.stop()
            #expect(await eventually { failover.log.count { $0.contains(" outage. Failover initiated.") } == aliases })
            let outages = try failover.processorTime() - start
            #expect(outages < 5 * start, "\(outages) s, \(start) s")
            try await failover.end()
            #expect(failover.log.count { $0.hasPrefix("CRITICAL ") } == aliases)
            primary.stop()
        }
    }
}

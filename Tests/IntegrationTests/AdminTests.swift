import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// What an operator on call sees and does, with real servers.
    @Suite("Operating it")
    struct AdminTests {
        private let scratch: Scratch
        private let engine = Laboratory.Engine.postgres

        init() throws { scratch = try Scratch() }

        private func failover() throws -> FailoverProcess {
            try FailoverProcess(
                configuration: "admin: {listen: \"unix:\(scratch.path("admin"))\"}\n" + engine.configuration())
        }

        private func status(_ failover: FailoverProcess) async throws -> String {
            let output = try await failover.command("status")
            #expect(output.status == 0, "\(output.standardError)")
            return output.standardOutput
        }

        /// A page of the admin plane, through curl.
        private func page(_ path: String) async throws -> String {
            try await Command.run(["curl", "-sS", "--unix-socket", scratch.path("admin"), "http://localhost\(path)"])
                .standardOutput
        }

        @Test func anOutageShowsInStatusEventsAndMetrics() async throws {
            let failover = try failover()
            let port = try await failover.port()
            #expect(try await eventually { try await failover.command("status", "--ready").status == 0 })
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            #expect(try await status(failover).contains(/served by slave; 1 session so far, 0 refused\n/))
            #expect(try await page("/metrics").contains("failover_service_up{service=\"slave\",type=\"postgres\"} 1\n"))

            try await engine.fault("kill")
            #expect(await failover.logs("CRITICAL slave outage."))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            // A ping in progress when the server was killed was cut off. Later pings are refused.
            let refused = try await eventually {
                try await status(failover).contains(
                    /\nslave +postgres +down +\S+ +failed +127\.0\.0\.1:\d+: Connection refused/)
            }
            #expect(refused)
            let text = try await status(failover)
            let reasons = [
                /served by default \(slave: refused: 127\.0\.0\.1:\d+: Connection refused\)/,
                /served by default \(slave: disconnected: 127\.0\.0\.1:\d+: .+\)/,
            ]
            #expect(reasons.contains { text.contains($0) }, "\(text)")
            let events = try await failover.command("events").standardOutput
            #expect(
                events.contains(
                    #/ OUTAGE slave outage\. Failover initiated\. \(Process ID: \d+\) (refused|disconnected): /#),
                "\(events)")
            let metrics = try await page("/metrics")
            for line in [
                #"failover_service_up{service="slave",type="postgres"} 0"#,
                #"failover_outages_total{service="slave"} 1"#,
                #"failover_failovers_total{route="slave"} 1"#,
                #"failover_route_current_alias{alias="default",route="slave"} 1"#,
                #"failover_sessions_total{alias="default",route="slave"} 1"#,
            ] {
                #expect(metrics.contains(line + "\n"), "\(line)")
            }
            try await engine.fault("start")
            #expect(await failover.logs("INFO slave is back up."))
            #expect(try await status(failover).contains("served by slave; 2 sessions so far"))
            try await failover.end()
        }

        @Test func theMetricsAreThoseOfTheListAndPrometheusTakesThem() async throws {
            let failover = try failover()
            _ = try await failover.port()
            #expect(try await eventually { try await failover.command("status", "--ready").status == 0 })
            let metrics = try await page("/metrics")
            // No notifier is configured, no alias has `max_lag`, and no route `client_tls`.
            let absent = [
                "failover_notification_failures_total", "failover_alias_lag_seconds", "failover_tls_handshakes_total",
            ]
            let expected = try ListedMetric.all().filter { !absent.contains($0.name) }.map { metric in
                guard metric.name == "failover_certificate_end_timestamp_seconds" else { return metric }
                return ListedMetric(name: metric.name, type: metric.type, labels: ["alias"], help: metric.help)
            }
            #expect(ListedMetric.scraped(in: metrics) == Set(expected))
            try scratch.write(metrics, to: "metrics")
            let check = try await Command.run(["/bin/sh", "-c", "promtool check metrics < \(scratch.path("metrics"))"])
            #expect(check.status == 0, "\(check.standardOutput) \(check.standardError)")
            try await failover.end()
        }

        @Test func aReplicaIsTakenOutForMaintenanceAndPutBack() async throws {
            let failover = try failover()
            let port = try await failover.port()
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            #expect(try await failover.command("drain", "slave").status == 0)
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            #expect(try await status(failover).contains(/slave +up, draining +0\s/))
            #expect(
                try await failover.command("switch", "slave", "slave").standardError
                    == "slave is drained; undrain it first\n")
            let undrained = try await failover.command("undrain", "slave")
            #expect(undrained.standardOutput == "slave is back in service\n")
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            #expect(try await failover.command("undrain", "slave").status == 1)
            try await failover.end()
        }

        @Test func aSwitchHoldsUntilItIsReleasedOrItsTimeIsOver() async throws {
            let failover = try failover()
            let port = try await failover.port()
            #expect(try await failover.command("switch", "slave", "default").status == 0)
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            #expect(try await failover.command("release", "slave").status == 0)
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            #expect(try await failover.command("switch", "slave", "default", "--for", "1s").status == 0)
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            #expect(
                try await eventually {
                    try await failover.command("events").standardOutput.hasSuffix(
                        "RELEASE slave is released: the time of the switch is over\n")
                })
            #expect(try await failover.command("switch", "slave", "nobody").status == 1)
            #expect(try await failover.command("switch", "slave", "default", "--for", "soon").status == 64)
            try await failover.end()
        }

        @Test func withoutAnAdminSectionThereIsNothingToAsk() async throws {
            let failover = try FailoverProcess(configuration: engine.configuration())
            _ = try await failover.port()
            #expect(try await failover.command("status").status == 78)
            try await failover.end()
            // No process listens any more.
            let other = try self.failover()
            _ = try await other.port()
            try await other.end()
            let output = try await other.command("status")
            #expect(output.status == 1)
            #expect(output.standardError.split(separator: "\n").count == 1)
        }
    }
}

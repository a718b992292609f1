import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Three MySQL servers in a replication group: group-1 is the primary and `default`, group-2 is `slave`.
    @Suite("A replication group", .enabled(if: Laboratory.hasGroup, "only a laboratory of today's servers has one"))
    struct GroupTests {
        private func port(_ member: Int) -> Int { Laboratory.port("LAB_GROUP_\(member)_PORT") }

        private func configuration(replica: String = "role: replica, max_lag: 2s") -> String {
            Laboratory.Engine.mysql.configuration(
                primary: "role: primary", replica: replica, ports: [UInt16(port(1)), UInt16(port(2))])
        }

        /// Runs a statement as a member's administrator, through its socket. Only // ends a statement.
        @discardableResult
        private func administer(_ statement: String, at member: Int) async throws -> String {
            let socket = "\(Laboratory.directory)/data/group-\(member)/socket"
            let output = try await Command.run([
                "timeout", "240", "mysql", "--no-defaults", "--socket", socket, "--delimiter=//", "-Nse", statement,
            ])
            guard output.status == 0 else { throw CommandFailure(output: output) }
            return output.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
        }

        private func makePrimary(_ member: Int) async throws {
            let identity = try await administer("select @@server_uuid", at: member)
            try await administer("select group_replication_set_as_primary('\(identity)')", at: member)
        }

        private func whoAnswers(_ failover: FailoverProcess) async throws -> Int? {
            try await Laboratory.Engine.mysql.whoAnswers(at: try await failover.port())
        }

        @Test func aMemberThatHasLeftTheGroupServesNoNewSession() async throws {
            let failover = try FailoverProcess(configuration: configuration())
            #expect(try await eventually { try await whoAnswers(failover) == port(2) })
            #expect(try await failover.command("ping").standardOutput.contains(/slave +mysql +up/))

            try await administer("stop group_replication", at: 2)
            #expect(await failover.logs("WARNING slave is stale."))
            let line = failover.log.first { $0.contains("WARNING slave is stale.") } ?? ""
            #expect(line.contains("the server's state in its group is OFFLINE"), "\(line)")
            #expect(try await whoAnswers(failover) == port(1))
            try await administer(
                "start group_replication user = 'replicator', password = 'replicator-secret'", at: 2)
            #expect(await failover.logs("INFO slave is fresh again."))
            #expect(try await eventually { try await whoAnswers(failover) == port(2) })
            #expect(!failover.log.contains { $0.hasPrefix("CRITICAL") }, "\(failover.log)")
            try await failover.end()
        }

        /// A lock lets the member receive transactions and keeps it from committing them.
        @Test func aTransactionThatWaitsToBeAppliedIsLag() async throws {
            let failover = try FailoverProcess(configuration: configuration())
            #expect(try await eventually { try await whoAnswers(failover) == port(2) })
            try await administer("create table if not exists app.writes (id int auto_increment primary key)", at: 1)
            let count = "select count(*) from app.writes"
            let written = try #require(Int(try await administer(count, at: 1))) + 1
            #expect(await eventually { (try? await administer(count, at: 2)) == "\(written - 1)" })

            let lock = Task { try await administer("flush tables with read lock// do sleep(200)", at: 2) }
            let isLocked = "select count(*) from information_schema.processlist where info = 'do sleep(200)'"
            #expect(try await eventually { try await administer(isLocked, at: 2) == "1" })
            try await administer("insert into app.writes values ()", at: 1)
            #expect(await failover.logs("WARNING slave is stale."))
            let line = failover.log.first { $0.contains("WARNING slave is stale.") } ?? ""
            #expect(line.contains(/detail="[0-9.]+s behind"/), "\(line)")
            #expect(try await whoAnswers(failover) == port(1))

            let session = "select concat('kill ', id) from information_schema.processlist where info = 'do sleep(200)'"
            try await administer(try await administer(session, at: 2), at: 2)
            _ = await lock.result
            #expect(await failover.logs("INFO slave is fresh again."))
            #expect(await eventually { (try? await administer(count, at: 2)) == "\(written)" })
            try await failover.end()
        }

        @Test func thePrimaryIsWhereTheGroupSays() async throws {
            let failover = try FailoverProcess(configuration: configuration())
            #expect(try await eventually { try await whoAnswers(failover) == port(2) })
            try await makePrimary(3)
            #expect(await failover.logs("CRITICAL default outage."))
            #expect(failover.log.contains { $0.contains("is read-only, not a primary") }, "\(failover.log)")
            #expect(try await whoAnswers(failover) == port(2))
            try await makePrimary(2)
            #expect(await failover.logs("CRITICAL slave outage."))
            #expect(failover.log.contains { $0.contains("is a primary, not a replica") }, "\(failover.log)")
            try await makePrimary(1)
            for name in ["slave", "default"] { #expect(await failover.logs("INFO \(name) is back up.")) }
            #expect(try await eventually { try await whoAnswers(failover) == port(2) })
            try await failover.end()
        }

        @Test func withoutThePrivilegeThePingNamesIt() async throws {
            let failover = try FailoverProcess(
                configuration: configuration().replacing("user: monitor", with: "user: app").replacing(
                    "monitor-secret", with: "app-secret"))
            let grant = "GRANT SELECT ON performance_schema.* TO 'app'@'%'"
            #expect(await failover.logs(grant))
            try await failover.end()
        }

        @Test func doctorFindsNothing() async throws {
            let scratch = try Scratch()
            try scratch.write(configuration(), to: "failover.yaml")
            let doctor = [FailoverProcess.binary, "doctor", "--json", "--config", scratch.path("failover.yaml")]
            let output = try await Command.run(doctor)
            for id in ["not-a-replica", "follows-another", "replication-stopped", "lag-hidden"] {
                #expect(!output.standardOutput.contains("\"\(id)\""), "\(output.standardOutput)")
            }
            #expect(output.standardOutput.contains("findings"), "\(output)")
        }
    }
}

import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// The main task of the proxy, with real servers and their own clients.
    @Suite("One address that outlives the replica")
    struct MainJobTests {
        @Test(arguments: Laboratory.Engine.allCases)
        func aKilledReplicaMovesTheRouteToThePrimaryAndARestartMovesItBack(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(configuration: engine.configuration())
            let port = try await failover.port()
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)

            try await engine.fault("kill")
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            #expect(await failover.logs("CRITICAL slave outage. Failover initiated. (Process ID: \(failover.pid))"))
            for _ in 0..<5 { #expect(try await engine.whoAnswers(at: port) == engine.primaryPort) }

            try await engine.fault("start")
            #expect(await failover.logs("INFO slave is back up. Recovery complete. (Process ID: \(failover.pid))"))
            for _ in 0..<5 { #expect(try await engine.whoAnswers(at: port) == engine.replicaPort) }

            let events = failover.log.filter { !$0.hasPrefix("INFO") }
            #expect(events.count == 1, "nothing frightening but the outage: \(events)")
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func aReplicaThatIsStoppedInItsTracksIsAnOutageAndServesAgainWhenItGoesOn(
            _ engine: Laboratory.Engine
        ) async throws {
            // On a busy machine the driver returns late. A ping that meets a hanging one has another message.
            let failover = try FailoverProcess(
                configuration: engine.configuration(pingTimeout: "3s", route: "error_ping_frequency: 2s"))
            let port = try await failover.port()
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)

            try await engine.fault("stop")
            #expect(await failover.logs("CRITICAL slave outage."))
            #expect(await failover.logs("gave no answer within 3 s"))
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)

            try await engine.fault("cont")
            #expect(await failover.logs("INFO slave is back up."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await failover.end()
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func theOrdinaryEndOfASessionAccusesNobody(_ engine: Laboratory.Engine) async throws {
            let failover = try FailoverProcess(configuration: "log: {level: debug}\n" + engine.configuration())
            let port = try await failover.port()
            for _ in 0..<10 { #expect(try await engine.whoAnswers(at: port) == engine.replicaPort) }
            try await failover.end()
            #expect(!failover.log.contains { $0.contains("a session saw an error") })
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func aReplicaThatIsDownAtTheStartIsFoundLater(_ engine: Laboratory.Engine) async throws {
            try await engine.fault("shutdown")
            let failover = try FailoverProcess(configuration: engine.configuration())
            let port = try await failover.port()
            #expect(try await engine.whoAnswers(at: port) == engine.primaryPort)
            #expect(await failover.logs("CRITICAL slave outage."))
            try await engine.fault("start")
            #expect(await failover.logs("INFO slave is back up."))
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await failover.end()
        }
    }
}

/// Tests that need the laboratory. They run one after another, because they cause faults on the same servers.
@Suite(
    .serialized, .enabled(if: Laboratory.isUp, "the laboratory is not up; scripts/test starts it"),
    .timeLimit(.minutes(10)), .sharedDatabases, .explained(afterFailure: Laboratory.heal))
struct RealServers {}

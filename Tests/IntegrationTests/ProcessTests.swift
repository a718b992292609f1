import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// How the process behaves for its operator: signals, limits, exit statuses.
    @Suite("The process")
    struct ProcessTests {
        private let engine = Laboratory.Engine.postgres

        @Test func sigtermLetsSessionsEndAndExitsWithZero() async throws {
            let failover = try FailoverProcess(configuration: engine.configuration())
            let session = try await TCPClient.connect(port: try await failover.port())
            failover.signal(SIGTERM)
            #expect(await failover.logs("stopping"))
            session.endSending()
            #expect(try await session.drain() == 0)
            #expect(try await failover.status() == 0)
            #expect(failover.log.last == "INFO stopped")
        }

        @Test func sessionsThatDoNotEndAreClosedAfterShutdownGrace() async throws {
            let failover = try FailoverProcess(configuration: "shutdown_grace: 200ms\n" + engine.configuration())
            let session = try await TCPClient.connect(port: try await failover.port())
            failover.signal(SIGINT)
            #expect(try await session.drain() == 0)
            #expect(try await failover.status() == 0)
        }

        @Test func aSecondSignalEndsAtOnce() async throws {
            let failover = try FailoverProcess(configuration: "shutdown_grace: 1h\n" + engine.configuration())
            let session = try await TCPClient.answeredByPostgres(port: try await failover.port())
            failover.signal(SIGTERM)
            #expect(await failover.logs("stopping"))
            failover.signal(SIGTERM)
            #expect(try await failover.status() == -SIGTERM)
            #expect(try await session.drain() == 0)
        }

        @Test func aPingThatHangsDoesNotHoldUpTheEnd() async throws {
            let failover = try FailoverProcess(
                configuration: engine.configuration(pingTimeout: "1h"))
            let port = try await failover.port()
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            try await engine.fault("stop")
            try await failover.end()
            try await engine.fault("cont")
        }

        @Test func outOfDescriptorsTheListenerPausesAndSessionsGoOn() async throws {
            // 200 descriptors, of which 100 are reserved; two per session: 50 sessions.
            let failover = try FailoverProcess(
                configuration: engine.configuration(), prefix: ["prlimit", "--nofile=200:200"])
            let port = try await failover.port()
            var sessions: [TCPClient] = []
            for _ in 0..<60 { sessions.append(try await TCPClient.connect(port: port)) }
            #expect(await failover.logs("WARNING slave: listener paused: the limit of open files is reached"))
            for session in sessions.prefix(50) {
                try await session.send(TCPClient.sslRequest)
                #expect(try await session.receive(1).count == 1)
            }
            sessions.removeFirst(50)
            for session in sessions {
                try await session.send(TCPClient.sslRequest)
                #expect(try await session.receive(1).count == 1)
            }
            sessions = []
            #expect(try await engine.whoAnswers(at: port) == engine.replicaPort)
            let warnings = failover.log.filter { $0.hasPrefix("WARNING") }
            #expect(warnings.allSatisfy { $0.contains("listener paused") })
            try await failover.end()
        }

        @Test func garbageEndsOnlyItsOwnSession() async throws {
            let failover = try FailoverProcess(configuration: engine.configuration())
            let port = try await failover.port()
            for length in [1, 7, 100, 100_000] {
                let client = try await TCPClient.connect(port: port)
                try? await client.send((0..<length).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) })
                client.endSending()
                _ = try? await client.drain()
            }
            // Until the next ping, a server that closes a connection because of garbage looks like a dying one.
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            try await failover.end()
        }
    }
}

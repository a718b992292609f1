import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// What applications notice, with real servers and real drivers.
    @Suite("Sessions")
    struct SessionTests {
        /// The output lines of a program in `Clients/`.
        private func clients(_ program: String, _ arguments: String...) async throws -> [String] {
            try await clients(program, arguments)
        }

        private func clients(_ program: String, _ arguments: [String]) async throws -> [String] {
            let path = "\(Laboratory.root)/Tests/IntegrationTests/Clients/\(program)"
            let output = try await Command.run(["timeout", "560", "/usr/bin/python3", "-B", path] + arguments)
            guard output.status == 0 else { throw CommandFailure(output: output) }
            return output.standardOutput.split(separator: "\n").map(String.init)
        }

        /// Connects with every driver and every mode of encryption. The given server must answer all of them.
        private func everybodyIsServed(
            by port: Int, through failover: FailoverProcess, _ engine: Laboratory.Engine, _ when: String
        ) async throws {
            let lines = try await clients("drivers.py", engine.rawValue, "\(try await failover.port())")
            #expect(lines.count == 6, "\(when)")
            for line in lines {
                let words = line.split(separator: " ")
                #expect(words[2] == "\(port)", "\(when): \(line)\n\(failover.log.joined(separator: "\n"))")
                if words[1] != "prefer" {
                    #expect(words[3] == (words[1] == "require" ? "encrypted" : "clear"), "\(when): \(line)")
                }
            }
        }

        @Test func noDriverNoticesHowTheReplicaIsLost() async throws {
            try await Laboratory.Engine.besideEachOther { engine in
                for (fault, undo) in [("kill", "start"), ("stop", "cont"), ("shutdown", "start")] {
                    let failover = try FailoverProcess(configuration: engine.configuration(pingTimeout: "3s"))
                    let port = try await failover.port()
                    try await everybodyIsServed(by: engine.replicaPort, through: failover, engine, "before \(fault)")
                    try await engine.fault(fault)
                    try await everybodyIsServed(by: engine.primaryPort, through: failover, engine, "after \(fault)")
                    try await engine.fault(undo)
                    // If the replica continued before its ping timed out, there was no outage to recover from.
                    #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
                    try await everybodyIsServed(by: engine.replicaPort, through: failover, engine, "after \(undo)")
                    try await failover.end()
                }
            }
        }

        @Test func noTransactionIsCutWhileTheReplicaComesAndGoesTwentyTimes() async throws {
            try await Laboratory.Engine.besideEachOther { try await flip($0, times: 20) }
        }

        /// Encrypted sessions, of which only the servers know what they do.
        @Test func noEncryptedTransactionIsCutEither() async throws {
            try await Laboratory.Engine.besideEachOther { engine in
                let log = try await flip(engine, times: 5, ["tls"])
                // A question may fail on a slow day.
                #expect(!log.contains { $0.contains("encrypted sessions stay where they are:") })
            }
        }

        /// Encrypted sessions that the proxy reads, because their TLS ends there.
        @Test func noTransactionIsCutWhoseTLSEndsAtTheProxy() async throws {
            let certificates = try ProxyCertificates()
            try await Laboratory.Engine.besideEachOther { engine in
                try await flip(engine, times: 4, ["ended"], servers: "require", route: certificates.route())
            }
        }

        /// - Parameters:
        ///   - servers: the key `tls` of the aliases.
        ///   - route: additional keys of the route.
        /// - Returns: the log.
        @discardableResult
        private func flip(
            _ engine: Laboratory.Engine, times: Int, _ more: [String] = [], servers: String = "prefer",
            route: String? = nil
        ) async throws -> [String] {
            // With too short a limit, a replica that is only slow would be found dead repeatedly, and would keep
            // no session.
            for (limit, patience) in [(try await engine.shortPingTimeout(), "60"), ("3s", "120"), ("10s", "240")] {
                let tls = "tls: \(servers)"
                let failover = try FailoverProcess(
                    configuration: engine.configuration(
                        pingTimeout: limit, primary: tls, replica: tls, route: route))
                let port = try await failover.port()
                do {
                    let arguments = ["\(port)", "\(engine.replicaPort)", Laboratory.script, "\(times)", patience]
                    let lines = try await clients("flips.py", [engine.rawValue] + arguments + more)
                    #expect(lines.contains { $0.contains("transactions on the primary") })
                    if more == ["ended"] {
                        #expect(lines.contains { $0.contains("sessions with a message at the end") }, "\(lines)")
                    }
                    #expect(failover.log.count { $0.hasPrefix("CRITICAL slave outage.") } >= times)
                    try await failover.end()
                    return failover.log
                } catch let failure as CommandFailure where failure.output.status == 3 && patience != "240" {
                    try await engine.fault("cont")
                    try await failover.end()
                }
            }
            return []
        }

        @Test func aQueryIsCancelledThroughTheProxyBeforeAndAfterAFailover() async throws {
            let engine = Laboratory.Engine.postgres
            let failover = try FailoverProcess(configuration: engine.configuration())
            let port = try await failover.port()
            let onReplica = ["disable \(engine.replicaPort)", "require \(engine.replicaPort)"]
            #expect(try await clients("cancel.py", "\(port)") == onReplica)
            try await engine.fault("kill")
            let onPrimary = ["disable \(engine.primaryPort)", "require \(engine.primaryPort)"]
            #expect(try await clients("cancel.py", "\(port)") == onPrimary)
            try await engine.fault("start")
            #expect(await failover.logs("INFO slave is back up."))
            try await failover.end()
        }

        @Test(.needsMariaDB, arguments: ["v1", "v2"])
        func mariaDBLearnsWhereTheClientIs(version: String) async throws {
            let engine = Laboratory.Engine.mariadb
            let failover = try FailoverProcess(configuration: engine.configuration(route: "send_proxy: \(version)"))
            let port = try await failover.port()
            let place = try #require(try await clients("address.py", "\(port)", "127.0.0.9").first)
            #expect(place.hasPrefix("127.0.0.9:"))
            try await failover.end()
        }

        @Test(.enabled(if: getuid() == 0, "needs root: a network namespace of its own"))
        func whenPacketsVanishASessionThatOnlyWaitsIsEndedByTheKernelsWatch() async throws {
            #expect(try await clients("vanish.py", FailoverProcess.binary).first?.hasPrefix("ended after") == true)
        }

        @Test(arguments: Laboratory.Engine.allCases)
        func whenNothingIsUpTheClientReadsWhy(_ engine: Laboratory.Engine) async throws {
            let unused = UnusedPort()
            let failover = try FailoverProcess(configuration: engine.configuration(ports: [unused.port, unused.port]))
            let port = try await failover.port()
            let error = try await engine.standardError(at: port)
            #expect(error.contains("slave: no server can serve this"), "\(error)")
            #expect(error.contains("default: "), "\(error)")
            try await failover.end()
        }
    }
}

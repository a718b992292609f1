import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Aliases with host names.
    @Suite("Names", .enabled(if: getuid() == 0, "only root may give a process a name server of its own"))
    struct NamesTests {
        private func configuration(_ engine: Laboratory.Engine, settings: String, route: String = "") -> String {
            let kind = engine == .postgres ? "engine: postgres, name: app" : "engine: mysql"
            func alias(_ port: Int) -> String {
                "{\(kind), host: db.failover.test, port: \(port), user: monitor, password: monitor-secret}"
            }
            return """
                \(settings)
                databases:
                  default: \(alias(engine.primaryPort).replacing("db.failover.test", with: "127.0.0.1"))
                  slave: \(alias(engine.replicaPort))
                services:
                  slave: {type: database, listen: "127.0.0.1:0"\(route)}

                """
        }

        /// Held sessions survive and new ones work as before, whatever a broken name server answers.
        @Test(arguments: ["nxdomain", "servfail", "silence"])
        func aResolverThatIsAwayCostsNoSession(_ answer: String) async throws {
            let engine = Laboratory.Engine.postgres
            let names = try await NameServer("127.0.0.1")
            let failover = try FailoverProcess(
                configuration: configuration(
                    engine,
                    settings: """
                        monitoring_ping_frequency: 500ms
                        outage_ping_frequency: 200ms
                        error_ping_frequency: 100ms
                        """), prefix: names.prefix)
            let port = try await failover.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            let held = Task { try await engine.answer(to: "select pg_sleep(8)", at: port) }
            try names.say(answer)
            // Each ping asks for both kinds of addresses.
            #expect(await names.isAsked(12))
            for _ in 0..<5 { #expect(try await engine.whoAnswers(at: port) == engine.replicaPort) }
            _ = try await held.value
            #expect(!failover.log.contains { $0.hasPrefix("CRITICAL") }, "\(failover.log)")

            // The pings still detect that the server is killed.
            try await engine.fault("kill")
            #expect(await failover.logs("CRITICAL slave outage."))
            try await engine.fault("start")
            #expect(await failover.logs("INFO slave is back up."))
            try await failover.end()
        }

        /// The next process cannot resolve any name, and continues with the addresses of the former process.
        @Test func aTakeOverWhileTheResolverIsAwayKeepsTheAddresses() async throws {
            let engine = Laboratory.Engine.postgres
            let (scratch, names) = (try Scratch(), try await NameServer("127.0.0.1"))
            let configuration = configuration(engine, settings: "takeover_socket: \(scratch.path("takeover"))")
            let former = try FailoverProcess(configuration: configuration, prefix: names.prefix)
            let port = try await former.port()
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
            try names.say("nxdomain")
            let next = try FailoverProcess(
                configuration: configuration, prefix: names.prefix, arguments: ["--takeover"])
            #expect(await next.logs("NOTICE took over from the former process"))
            #expect(try await former.status() == 0)
            for _ in 0..<5 { #expect(try await engine.whoAnswers(at: try await next.port()) == engine.replicaPort) }
            // Its pings reach the server too.
            let complaints = next.log.filter { $0.hasPrefix("CRITICAL") || $0.hasPrefix("ERROR") }
            #expect(complaints == [])
            try await next.end()
        }

        /// A name with two addresses. The first address accepts connections and is silent, or drops packets.
        @Test(arguments: ["accepts and is silent", "drops packets"])
        func aDeadFirstAddressCostsFewSessionsAWaitAndNoneItsReplica(_ fault: String) async throws {
            let engine = Laboratory.Engine.postgres
            let port = UInt16(engine.replicaPort)
            let silent = fault == "drops packets" ? nil : FaultyServer(lastByte: 2, port: port) { $0.receiveToEnd() }
            let swallowing = fault == "drops packets" ? SwallowingServer(lastByte: 2, port: port) : nil
            let names = try await NameServer("127.0.0.2 127.0.0.1")
            let failover = try FailoverProcess(
                configuration: configuration(
                    engine,
                    settings: """
                        monitoring_ping_frequency: 1s
                        outage_ping_frequency: 1s
                        """, route: ", connect_timeout: 6s, greeting_timeout: 6s"
                ).replacing("password: monitor-secret", with: "password: monitor-secret, ping_timeout: 2s"),
                prefix: names.prefix)
            let listener = try await failover.port()
            var waits: [Duration] = []
            for _ in 0..<60 {
                let start = ContinuousClock.now
                #expect(try await engine.whoAnswers(at: listener) == engine.replicaPort)
                waits.append(ContinuousClock.now - start)
            }
            // The first sessions wait at the dead address for half of the time limit. Nearly all would if the result
            // were not remembered. A busy machine may delay some.
            let late = waits.count { $0 > .milliseconds(2800) }
            #expect(late <= waits.count / 4, "\(waits)")
            #expect(!failover.log.contains { $0.hasPrefix("CRITICAL") }, "\(failover.log)")
            try await failover.end()
            silent?.stop()
            _ = swallowing
        }
    }
}

import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// The promise of `max_lag`, and of `lag_recovers_at`: both are kept to within two pings, and nothing moves between
    /// them. Time is what the proxy's own log and pings say, so that a slow machine only makes it later.
    @Suite("A replica at a standstill")
    struct StandstillTests {
        static let cases = Laboratory.Engine.allCases.flatMap { engine in
            [("pause", "resume"), ("cut", "mend")].map { (engine, $0.0, $0.1) }
        }

        private let maxLag = 4.0
        private let recoversAt = 2.0

        @Test(arguments: cases)
        func newSessionsLeaveItAndComeBackAtTheTwoMarks(
            _ engine: Laboratory.Engine, fault: String, undo: String
        ) async throws {
            let scratch = try Scratch()
            let beats = try await Beats(engine)
            let failover = try FailoverProcess(
                configuration: "admin: {listen: \"unix:\(scratch.path("admin"))\"}\n"
                    + engine.configuration(
                        replica: """
                            role: replica, max_lag: \(Int(maxLag))s, lag_recovers_at: \(Int(recoversAt))s, \
                            monitoring_ping_frequency: 1s
                            """))
            let port = try await failover.port()
            var watch = Watch(engine, beats, failover, port: port, admin: scratch.path("admin"))
            // Connected for the first time, it may count as down for want of privileges or of an address.
            #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })

            for _ in 0..<5 { try await watch.look() }
            try await engine.fault(fault)
            let standstill = try await beats.latest()
            try await watch.look(until: "WARNING slave is stale.")
            for _ in 0..<10 { try await watch.look() }
            let resumed = Date().timeIntervalSince1970
            try await engine.fault(undo)
            try await watch.look(until: "INFO slave is fresh again.")
            for _ in 0..<5 { try await watch.look() }
            try await beats.stop()
            try await failover.end()

            let stale = try #require(failover.time(of: "WARNING slave is stale."))
            let fresh = try #require(failover.time(of: "INFO slave is fresh again."))
            #expect(failover.log.count { $0.contains("slave is stale.") || $0.contains("slave is fresh") } == 2)
            watch.expectSessions(movedAt: stale, andBackAt: fresh)

            // The first ping after the limit was passed sees it; a second one may have been needed to be sure.
            let limit = standstill + maxLag
            #expect(watch.pings(after: limit, before: stale) <= 2, "\(watch.pings)")
            // Not before: known since the latest ping that found all well, whose seconds may be whole ones.
            #expect(stale > limit - watch.longestPause(before: standstill) - 1.2)
            let caughtUp = try #require(watch.looks.first { $0.time > resumed && $0.lag <= recoversAt }).time
            #expect(watch.pings(after: caughtUp, before: fresh) <= 2, "\(watch.pings)")
            #expect(fresh > resumed)
            let first = try #require(watch.looks.first { $0.began > fresh })
            #expect(first.lag <= recoversAt, "\(first)")
        }
    }
}

/// What new sessions get, how old the replica's data really is, and when the proxy pings.
private struct Watch {
    struct Look {
        let began: Double
        /// When the session had its answer.
        let ended: Double
        /// The port of the server that answered.
        let server: Int?
        let lag: Double
        /// When the lag was known.
        let time: Double
    }

    let engine: Laboratory.Engine
    let beats: Beats
    let failover: FailoverProcess
    let port: Int
    let admin: String
    private(set) var looks: [Look] = []
    /// When pings of the replica began.
    private(set) var pings: Set<Double> = []

    init(_ engine: Laboratory.Engine, _ beats: Beats, _ failover: FailoverProcess, port: Int, admin: String) {
        self.engine = engine
        self.beats = beats
        self.failover = failover
        self.port = port
        self.admin = admin
    }

    mutating func look() async throws {
        let began = Date().timeIntervalSince1970
        let server = try await engine.whoAnswers(at: port)
        let ended = Date().timeIntervalSince1970
        let lag = try await beats.lag()
        looks.append(Look(began: began, ended: ended, server: server, lag: lag, time: Date().timeIntervalSince1970))
        let status = try await Command.run(["curl", "-sS", "--unix-socket", admin, "http://localhost/api/v1/status"])
        let document = try JSONDecoder().decode(Status.self, from: Data(status.standardOutput.utf8))
        let ping = document.services.first { $0.name == "slave" }?.last_ping
        if let time = ping.flatMap({ FailoverProcess.seconds($0.time) }) { pings.insert(time) }
    }

    /// Looks until the line is in the log, which must come.
    mutating func look(until line: String) async throws {
        let end = ContinuousClock.now + .seconds(100)
        while !failover.log.contains(where: { $0.contains(line) }) {
            try #require(ContinuousClock.now < end, "\(line) never came")
            try await look()
        }
    }

    func pings(after: Double, before: Double) -> Int { pings.count { $0 > after && $0 < before } }

    /// The longest time between two pings up to then.
    func longestPause(before time: Double) -> Double {
        let early = pings.filter { $0 < time }.sorted()
        return zip(early, early.dropFirst()).map { $1 - $0 }.max() ?? 1
    }

    /// The event loops get to know a moment after, or before, the line is written.
    func expectSessions(movedAt stale: Double, andBackAt fresh: Double) {
        let moment = 0.2
        var counts = (before: 0, between: 0, after: 0)
        for look in looks {
            if look.ended < stale - moment {
                counts.before += 1
                #expect(look.server == engine.replicaPort, "before it was stale: \(look)")
            } else if look.began > stale + moment, look.ended < fresh - moment {
                counts.between += 1
                #expect(look.server == engine.primaryPort, "while it was stale: \(look)")
            } else if look.began > fresh + moment {
                counts.after += 1
                #expect(look.server == engine.replicaPort, "when it was fresh again: \(look)")
            }
        }
        #expect(counts.before >= 5 && counts.between >= 5 && counts.after >= 1, "\(counts)")
    }

    private struct Status: Decodable {
        struct Service: Decodable {
            struct Ping: Decodable { let time: String }
            let name: String
            let last_ping: Ping?
        }
        let services: [Service]
    }
}

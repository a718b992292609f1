import FailoverTesting
import Foundation
import Testing

/// What new sessions receive, how old the replica's data really is, and when the proxy pings.
struct Watch {
    struct Look {
        let began: Double
        /// When the session was answered.
        let ended: Double
        /// The port of the server that answered.
        let server: Int?
        let lag: Double
        /// When the lag was measured.
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

    /// Looks until the line is in the log. The line must come.
    mutating func look(until line: String) async throws {
        let end = ContinuousClock.now + .ample
        while !failover.log.contains(where: { $0.contains(line) }) {
            try #require(ContinuousClock.now < end, "\(line) never came")
            try await look()
        }
    }

    /// Looks until `count` more pings have begun.
    mutating func look(pings count: Int) async throws {
        let start = Date().timeIntervalSince1970
        let end = ContinuousClock.now + .ample
        while pings(after: start, before: .infinity) < count {
            try #require(ContinuousClock.now < end, "no more pings")
            try await look()
        }
    }

    func pings(after: Double, before: Double) -> Int { pings.count { $0 > after && $0 < before } }

    /// Looks until `count` sessions have begun after the event loops applied what the line reports. The line is in
    /// the log already.
    mutating func look(_ count: Int, after line: String) async throws {
        let time = try #require(failover.time(of: line)) + Self.moment
        while looks.count(where: { $0.began > time }) < count { try await look() }
    }

    /// The longest time between two pings, the first of which was before `time`.
    func longestPause(before time: Double) -> Double {
        let all = pings.sorted()
        return zip(all, all.dropFirst()).filter { $0.0 < time }.map { $1 - $0 }.max() ?? 1
    }

    /// The earliest time at which another server may serve a session, for a line of the log: the time of the ping
    /// that caused the line. The watch may miss that ping, but not the one before it.
    private func earliest(_ line: Double) -> Double { (pings.filter { $0 < line }.max() ?? 0) - Self.moment }

    /// The time in which the event loops apply what a line reports.
    private static let moment = 0.2

    func expectSessions(movedAt stale: Double, andBackAt fresh: Double) {
        var counts = (before: 0, between: 0, after: 0)
        for look in looks {
            if look.ended < earliest(stale) {
                counts.before += 1
                #expect(look.server == engine.replicaPort, "before it was stale: \(look)")
            } else if look.began > stale + Self.moment, look.ended < earliest(fresh) {
                counts.between += 1
                #expect(look.server == engine.primaryPort, "while it was stale: \(look)")
            } else if look.began > fresh + Self.moment {
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

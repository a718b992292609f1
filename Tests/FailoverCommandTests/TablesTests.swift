import Failover
import FailoverAdmin
import FailoverCore
import Foundation
import Testing

@testable import FailoverCommand

@Suite("Tables of ping and status")
struct TablesTests {
    /// 2027-01-02T03:04:05Z
    private static let end = WallTime(sinceEpoch: .seconds(1_798_859_045))
    private static let tls = TLSFacts(version: "TLSv1.3", certificateEnds: end)

    /// The report of these results, of as many aliases.
    private func report(_ results: [PingResult]) throws -> PingReport {
        let aliases = results.indices.map { "  db\($0): {engine: postgres, host: db\($0), user: u}" }
        let configuration = try Configuration.parse(
            "databases:\n\(aliases.joined(separator: "\n"))\n", fileName: "failover.yaml", environment: [:])
        return PingReport(answers: Array(zip(configuration.pingTargets, results)))
    }

    private func result(_ tls: TLSFacts?, _ failure: PingFailure? = nil) -> PingResult {
        PingResult(failure: failure, duration: .milliseconds(12), tls: tls)
    }

    @Test func aPingShowsTheVersionAndTheDateOnWhichTheCertificateEnds() throws {
        let refused = PingFailure(.refused, "db2:5432: Connection refused")
        #expect(
            try report([result(Self.tls), result(nil), result(nil, refused)]).table(colour: false) == """
                NAME  TYPE      STATE  TIME  TLS      CERTIFICATE       REASON   DETAIL
                db0   postgres  up     12ms  TLSv1.3  until 2027-01-02           db0:5432
                db1   postgres  up     12ms                                      db1:5432
                db2   postgres  down   12ms                             refused  db2:5432: Connection refused
                """)
    }

    @Test func withoutTLSThereAreNoColumnsForIt() throws {
        #expect(
            try report([result(nil)]).table(colour: true) == """
                NAME  TYPE      STATE  TIME  REASON  DETAIL
                db0   postgres  \u{1b}[32mup\u{1b}[0m     12ms          db0:5432
                """)
        let anonymous = try report([result(TLSFacts(version: "TLSv1.2"))]).table(colour: false)
        #expect(anonymous.contains("TIME  TLS      REASON"))
    }

    @Test func programsReadTheTimeOrNull() throws {
        let json = try report([result(Self.tls), result(nil)]).json()
        let entries = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
        #expect(entries.map { $0["tls_version"] as? String } == ["TLSv1.3", nil])
        #expect(entries.map { $0["certificate_ends"] as? String } == ["2027-01-02T03:04:05.000Z", nil])
        #expect(entries[1]["tls_version"] is NSNull && entries[1]["certificate_ends"] is NSNull)
    }

    @Test func theStatusShowsItForEachAliasOfARoute() {
        func alias(_ name: String, _ version: String?, _ end: String?) -> RouteDocument.Alias {
            .init(
                name: name, address: "\(name):5432", state: "up", suspect: false, tlsVersion: version,
                certificateEnds: end, draining: false, serving: name == "slave", sessions: 0, served: 0)
        }
        func status(_ aliases: [RouteDocument.Alias], own: String? = nil) -> String {
            let route = RouteDocument(
                name: "slave", engine: "postgres", listen: ["127.0.0.1:6432"], certificateEnds: own,
                currentAlias: "slave", why: .preferred,
                reason: nil, pinned: nil, closed: nil, aliases: aliases,
                sessions: .init(open: 0, total: 0, refused: 0, retried: 0, moved: 0), newSessions: [])
            return StatusReport(
                StatusDocument(
                    version: "1", host: "h", processId: 1, time: "2026-01-02T03:04:05.000Z",
                    started: "2026-01-02T03:04:05.000Z", ready: true, stopping: false, routes: [route], services: [],
                    settings: [:], errors: [:])
            ).text(colour: false)
        }
        let mixed = status([alias("slave", "TLSv1.3", "2027-01-02T03:04:05.000Z"), alias("default", nil, nil)])
        #expect(
            mixed.hasSuffix(
                """
                  ALIAS      STATE  SESSIONS  ADDRESS       TLS      CERTIFICATE
                  → slave    up            0  slave:5432    TLSv1.3  until 2027-01-02
                    default  up            0  default:5432
                """), "\(mixed)")
        #expect(status([alias("slave", nil, nil)]).contains("ADDRESS\n"))
        #expect(mixed.contains("ROUTE slave (postgres) on 127.0.0.1:6432\n"))
        let ended = status([alias("slave", nil, nil)], own: "2027-01-03T03:04:05.000Z")
        #expect(ended.contains("ROUTE slave (postgres) on 127.0.0.1:6432, certificate until 2027-01-03\n"), "\(ended)")
    }
}

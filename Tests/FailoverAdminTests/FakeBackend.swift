import FailoverCore
import FailoverSystem

@testable import FailoverAdmin

/// A backend with one route and one service that records its requests.
final class FakeBackend: AdminBackend {
    let events = EventRing()
    private let asked = Lock<[String]>([])
    private let ready = Lock(true)
    private let statuses = Lock(0)
    /// The stream that requests for sessions wait for, if they are held, and the number of waiting requests.
    private let holding = Lock<(stream: AsyncStream<Void>?, waiting: Int)>((nil, 0))

    var heldSessions: Int { holding.withLock { $0.waiting } }

    /// Holds the answers to requests for sessions until the returned continuation is finished.
    func holdSessions() -> AsyncStream<Void>.Continuation {
        let (stream, held) = AsyncStream.makeStream(of: Void.self)
        holding.withLock { $0.stream = stream }
        return held
    }

    var actions: [String] { asked.withLock { $0 } }
    /// How often the status was requested.
    var statusCount: Int { statuses.withLock { $0 } }
    var isReady: Bool { ready.withLock { $0 } }
    let configurationText = "services: {}\n"

    func setReady(_ isReady: Bool) { ready.withLock { $0 = isReady } }

    func status() async -> StatusDocument {
        statuses.withLock { $0 += 1 }
        let failure = PingFailure(.refused, "127.0.0.1:1: Connection refused")
        var history = PingHistory()
        history.add(
            .init(time: WallTime(sinceEpoch: .zero), result: PingResult(failure: nil, duration: .microseconds(1234))))
        history.add(
            .init(time: WallTime(sinceEpoch: .seconds(1)), result: PingResult(failure: failure, duration: .zero)))
        let report = ServiceReport(
            name: "slave", settings: MonitorSettings(),
            status: ServiceStatus(
                verdict: .down(failure, lasting: .seconds(1)), unconfirmed: 0, isPinging: false),
            since: WallTime(sinceEpoch: .zero), history: history, outages: 1)
        return StatusDocument(
            version: "1", host: "h", processId: 1, time: "1970-01-01T00:00:02.000Z",
            started: "1970-01-01T00:00:00.000Z",
            ready: isReady, stopping: false,
            routes: [
                RouteDocument(
                    name: "slave", engine: "postgres", listen: ["127.0.0.1:1"],
                    certificateEnds: "1970-01-03T00:00:00.000Z", currentAlias: "default", why: .pinned,
                    reason: "slave: refused", pinned: .init(alias: "default", until: nil),
                    closed: .init(service: "celery", message: "closed"),
                    aliases: [
                        .init(
                            name: "slave", address: "a:1", state: "down", suspect: false, tlsVersion: "TLSv1.3",
                            certificateEnds: "1970-01-02T00:00:00.000Z", draining: true,
                            drill: "1970-01-01T00:00:30.000Z", serving: false, sessions: 2, served: 3)
                    ], sessions: .init(open: 2, total: 3, refused: 4, retried: 5, moved: 6), newSessions: [1, 2])
            ],
            services: [ServiceDocument(report, type: "postgres", location: "a:1")],
            settings: ["CELERY_ALWAYS_EAGER": "True"], errors: ["connect_refused": 3])
    }

    func sessions(route: String?, after: UInt64, limit: Int) async throws(AdminError) -> [SessionDocument] {
        if route == "nobody" { throw .unknown("there is no route nobody") }
        let held = holding.withLock { holding in
            holding.waiting += holding.stream == nil ? 0 : 1
            return holding.stream
        }
        if let held { for await _ in held {} }
        return (min(after, 250) + 1..<251).prefix(limit).map { id in
            SessionDocument(
                id: id, route: "slave", alias: id == 1 ? nil : "slave", client: "127.0.0.1:1", age: .seconds(2),
                idle: .milliseconds(1), bytesFromClient: 1, bytesFromBackend: 2, boundary: id == 1 ? .unknown : .yes)
        }
    }

    func metrics() async -> String { "failover_build_info 1\n" }

    func ping(service: String) async throws(AdminError) -> String { try note("ping \(service)", service) }

    func `switch`(route: String, to alias: String, for duration: Duration?) throws(AdminError) -> String {
        try note("switch \(route) \(alias) \(duration.map { "\($0.components.seconds)" } ?? "-")", route)
    }

    func release(route: String) throws(AdminError) -> String { throw .conflict("\(route) is not switched") }
    func drill(
        route: String, alias: String?, for duration: Duration, isForced: Bool
    ) throws(AdminError) -> String {
        try note(
            "drill \(route) \(alias ?? "-") \(duration.components.seconds)\(isForced ? " forced" : "")", route)
    }

    func endDrill(route: String) throws(AdminError) -> String { throw .conflict("there is no drill on \(route)") }
    func drain(alias: String) throws(AdminError) -> String { try note("drain \(alias)", alias) }
    func undrain(alias: String) throws(AdminError) -> String { try note("undrain \(alias)", alias) }

    func closeSessions(route: String, alias: String?) throws(AdminError) -> String {
        try note("close \(route) \(alias ?? "-")", route)
    }

    func reload() async throws(AdminError) -> String { try note("reload", "configuration") }

    private func note(_ action: String, _ name: String) throws(AdminError) -> String {
        if name == "nobody" { throw .unknown("there is no nobody") }
        asked.withLock { $0.append(action) }
        return action
    }
}

import FailoverCore
import FailoverSystem
import FailoverTesting
import Testing

@testable import FailoverChecks

/// Threads and look-ups for the checks of a test.
struct CheckBench {
    let threads: BlockingThreads
    let resolver: NameResolver

    init() {
        threads = BlockingThreads()
        resolver = NameResolver(threads: threads)
    }

    func check(_ server: DatabaseServer) -> ServerCheck {
        ServerCheck(server: server, resolver: resolver, threads: threads)
    }

    /// A check of the scripted server at a port of 127.0.0.1, without TLS by default.
    func check(
        _ engine: DatabaseServer.Engine, port: UInt16, password: Secret? = nil, tls: DatabaseServer.TLSMode = .disable,
        pingQuery: String = "SELECT 1"
    ) -> ServerCheck {
        check(
            DatabaseServer(
                engine: engine, endpoint: .tcp(host: "127.0.0.1", port: port), user: "monitor", password: password,
                tls: tls, pingQuery: pingQuery))
    }

    /// The failure of one ping, which must fail.
    func failure(
        of check: ServerCheck, limit: Duration = .ample, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> PingFailure {
        try #require(await outcome(of: check, limit: limit), sourceLocation: sourceLocation)
    }

    /// The failure of one ping, if it fails.
    func outcome(of check: ServerCheck, limit: Duration = .ample) async -> PingFailure? {
        do {
            try await check.ping(limit: limit)
            return nil
        } catch { return error }
    }

    /// The failure of one ping of any check, if it fails.
    func outcome(of ping: () async throws(PingFailure) -> Void) async -> PingFailure? {
        do {
            try await ping()
            return nil
        } catch { return error }
    }

    /// The failure of one ping against a script.
    func failure(
        _ engine: DatabaseServer.Engine, tls: DatabaseServer.TLSMode = .disable, password: Secret? = nil,
        pingQuery: String = "SELECT 1", script: @escaping @Sendable (FaultyServerConnection) -> Void
    ) async throws -> PingFailure {
        let server = FaultyServer(script: script)
        defer { server.stop() }
        return try await failure(
            of: check(engine, port: server.port, password: password, tls: tls, pingQuery: pingQuery))
    }

    /// Asserts that a ping against a script ends at its limit, during the stage. The limit is raised until the
    /// machine reaches the stage within it.
    func expectTimeout(
        _ stage: PingFailure.Stage, _ engine: DatabaseServer.Engine, port: UInt16,
        tls: DatabaseServer.TLSMode = .disable, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        typealias Outcome = (failure: PingFailure, limit: Duration, duration: Duration)
        let (failure, limit, duration) = try await patiently { (outcome: Outcome) in
            outcome.failure.reason == .timeout(stage)
        } _: { limit in
            let start = ContinuousClock.now
            let failure = try await self.failure(
                of: check(engine, port: port, tls: tls), limit: limit, sourceLocation: sourceLocation)
            return Outcome(failure, limit, ContinuousClock.now - start)
        }
        #expect(failure.reason == .timeout(stage), sourceLocation: sourceLocation)
        #expect(
            failure.detail == "127.0.0.1:\(port) gave no answer within \(limit.text)", sourceLocation: sourceLocation)
        #expect(duration >= limit, sourceLocation: sourceLocation)
        #expect(duration < limit + .ample, sourceLocation: sourceLocation)
    }

    func expectTimeout(
        _ stage: PingFailure.Stage, _ engine: DatabaseServer.Engine, tls: DatabaseServer.TLSMode = .disable,
        sourceLocation: SourceLocation = #_sourceLocation,
        script: @escaping @Sendable (FaultyServerConnection) -> Void
    ) async throws {
        let server = FaultyServer(script: script)
        defer { server.stop() }
        try await expectTimeout(stage, engine, port: server.port, tls: tls, sourceLocation: sourceLocation)
    }
}

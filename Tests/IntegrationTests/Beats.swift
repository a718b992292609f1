import FailoverTesting
import Foundation
import Testing

/// A table on the primary that receives the time ten times a second, so that the replica's true lag can be measured.
/// Both servers use this machine's clock.
struct Beats {
    /// The replica has no time yet.
    private struct NoBeat: Error {}

    private let engine: Laboratory.Engine
    private let writer: ChildProcess
    private let scratch: Scratch

    /// Starts writing, and waits until the replica has the first time.
    init(_ engine: Laboratory.Engine) async throws {
        self.engine = engine
        let table = Self.table(engine)
        let time = engine == .postgres ? "double precision" : "double"
        try await engine.administer("create table if not exists \(table) (at \(time))", at: .primary)
        try await engine.administer("truncate \(table)", at: .primary)
        scratch = try Scratch()
        writer = try ChildProcess(
            ["timeout", "900"] + engine.administration(Self.loop(engine), at: .primary),
            output: scratch.path("out"), error: scratch.path("err"))
        let beats = self
        let hasBegun = await eventually { (try? await beats.latest()) != nil }
        #expect(hasBegun, "\(scratch.text("err"))")
    }

    private static func table(_ engine: Laboratory.Engine) -> String {
        engine == .postgres ? "beats" : "app.beats"
    }

    private static func loop(_ engine: Laboratory.Engine) -> String {
        switch engine {
        case .postgres:
            """
            do $$ begin for i in 1..8000 loop insert into beats values (extract(epoch from clock_timestamp())); commit; \
            exit when exists (select from beats where at = 0); perform pg_sleep(0.1); end loop; end $$
            """
        case .mysql:
            """
            drop procedure if exists app.beat//
            create procedure app.beat() begin declare beats int default 0; beating: while beats < 8000 do \
            insert into app.beats values (unix_timestamp(now(6))); set beats = beats + 1; \
            if exists (select 1 from app.beats where at = 0) then leave beating; end if; do sleep(0.1); \
            end while beating; end//
            call app.beat()
            """
        case .mariadb:
            """
            begin not atomic beating: for i in 1..8000 do insert into app.beats values (unix_timestamp(now(6))); \
            if exists (select 1 from app.beats where at = 0) then leave beating; end if; do sleep(0.1); \
            end for beating; end
            """
        }
    }

    /// The latest time that the replica has, in seconds since 1970.
    func latest() async throws -> Double {
        let text = try await engine.administer("select max(at) from \(Self.table(engine))", at: .replica)
        guard let time = Double(text) else { throw NoBeat() }
        return time
    }

    /// The number of seconds that the replica is behind.
    ///
    /// Measured with the replica's own clock, which is this machine's: on a busy machine the answer takes a while.
    func lag() async throws -> Double {
        let now = engine == .postgres ? "extract(epoch from clock_timestamp())" : "unix_timestamp(now(6))"
        let text = try await engine.administer("select \(now) - max(at) from \(Self.table(engine))", at: .replica)
        guard let lag = Double(text) else { throw NoBeat() }
        return lag
    }

    /// Stops writing.
    func stop() async throws {
        try await engine.administer("insert into \(Self.table(engine)) values (0)", at: .primary)
        #expect(try await writer.status() == 0, "\(scratch.text("err"))")
    }
}

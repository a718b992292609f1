import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// Today's drivers and client programs read the same through the proxy as from the server itself.
    @Suite(
        "Drivers of today",
        .enabled(if: Laboratory.isNewest, "only a laboratory of today's servers comes with today's clients"))
    struct TodaysDriversTests {
        private static let drivers =
            ProcessInfo.processInfo.environment["LAB_DRIVERS"] ?? "\(Laboratory.root)/.build/newest-drivers"

        /// What every driver reads at a port, a line for each of its modes.
        private func everybodyReads(_ engine: Laboratory.Engine, at port: Int) async throws -> [String] {
            let program = engine == .postgres ? ["today_postgres.py"] : ["today_mysql.py", engine.rawValue]
            let clients = "\(Laboratory.root)/Tests/IntegrationTests/Clients"
            let output = try await Command.run(
                ["timeout", "560", "/usr/bin/python3", "-B", "\(clients)/\(program[0])"] + program.dropFirst()
                    + ["\(port)"], environment: ["PYTHONPATH": Self.drivers])
            guard output.status == 0 else { throw CommandFailure(output: output) }
            return output.standardOutput.split(separator: "\n").map(String.init)
        }

        /// Tells the lines of a reading that differ from another's, on both sides.
        private func expectSame(_ lines: [String], as others: [String]) {
            let (new, missing) = (Set(lines).subtracting(others).sorted(), Set(others).subtracting(lines).sorted())
            #expect(lines == others, "read \(new) and not \(missing)")
        }

        /// Makes the table that they read, on the primary, and waits until the replica has it.
        private func makeTable(_ engine: Laboratory.Engine) async throws {
            let digits = "(" + (0..<10).map { "select \($0) n" }.joined(separator: " union all ") + ")"
            let line = "repeat(concat(a.n, b.n, c.n, d.n, ' of ten thousand lines '), 10)"
            let statements = [
                "drop table if exists today",
                "create table today (id int primary key, line text)",
                "insert into today select a.n * 1000 + b.n * 100 + c.n * 10 + d.n + 1, \(line) "
                    + "from \(digits) a, \(digits) b, \(digits) c, \(digits) d",
            ]
            for statement in statements { try await engine.execute(statement, at: engine.primaryPort) }
            let count = "select count(*) from today"
            #expect(await eventually { (try? await engine.answer(to: count, at: engine.replicaPort)) == "10000" })
        }

        @Test func everyDriverReadsTheSameThroughTheProxy() async throws {
            try await Laboratory.Engine.besideEachOther { engine in
                try await makeTable(engine)
                let direct = try await everybodyReads(engine, at: engine.replicaPort)
                let counts: [Laboratory.Engine: Int] = [.postgres: 32, .mariadb: 35, .mysql: 39]
                #expect(direct.count == counts[engine])
                let onPrimary = direct.map { $0.replacing(" \(engine.replicaPort) ", with: " \(engine.primaryPort) ") }

                let failover = try FailoverProcess(configuration: engine.configuration())
                let port = try await failover.port()
                expectSame(try await everybodyReads(engine, at: port), as: direct)
                try await engine.fault("kill")
                expectSame(try await everybodyReads(engine, at: port), as: onPrimary)
                try await engine.fault("start")
                #expect(try await eventually { try await engine.whoAnswers(at: port) == engine.replicaPort })
                expectSame(try await everybodyReads(engine, at: port), as: direct)
                try await failover.end()
                try await engine.execute("drop table today", at: engine.primaryPort)
            }
        }
    }
}

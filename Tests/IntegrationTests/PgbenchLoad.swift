import FailoverTesting
import Testing

/// PostgreSQL's own load generator, with a new connection for each transaction, through a route.
struct PgbenchLoad {
    let port: Int
    let scratch: Scratch

    /// Runs until the task is cancelled, and returns the number of transactions. All must have succeeded.
    func run() async throws -> Int {
        try scratch.write("select 1;\n", to: "select.sql")
        var rounds = 0
        while !Task.isCancelled || rounds == 0 {
            let output = try await Command.run(
                [
                    "pgbench", "-h", "127.0.0.1", "-p", "\(port)", "-U", "app", "-n", "-C", "-c", "4", "-t", "25",
                    "-f", scratch.path("select.sql"), "app",
                ], environment: ["PGPASSWORD": "app-secret"])
            #expect(output.status == 0, "\(output.standardError)")
            #expect(output.standardOutput.contains("processed: 100/100"), "\(output.standardOutput)")
            rounds += 1
        }
        return rounds * 100
    }
}

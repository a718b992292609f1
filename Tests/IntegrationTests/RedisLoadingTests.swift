import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// A real Redis that takes a minute and more to load what it has stored.
    @Suite("A Redis that loads")
    struct RedisLoadingTests {
        private let scratch: Scratch
        private let port = UnusedPort().port

        init() throws { scratch = try Scratch() }

        private func start(_ arguments: String...) throws -> ChildProcess {
            try ChildProcess(
                ["redis-server", "--bind", "127.0.0.1", "--port", "\(port)", "--save", "", "--dir", scratch.path("")]
                    + arguments, output: "/dev/null", error: "/dev/null")
        }

        private func ask(_ words: String...) async throws -> String {
            try await Command.run(["redis-cli", "-p", "\(port)"] + words).standardOutput
        }

        private func says(_ text: String) async throws -> Bool {
            try await eventually { try await ask("ping").hasPrefix(text) }
        }

        @Test func itIsDownAndSaysThatItStartsUp() async throws {
            let first = try start("--enable-debug-command", "yes")
            #expect(try await says("PONG"))
            #expect(try await ask("debug", "populate", "100000") == "OK\n")
            #expect(try await ask("save") == "OK\n")
            kill(first.pid, SIGKILL)
            _ = try await first.status()

            // A millisecond a key; it answers others in between.
            let loading = try start("--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024")
            #expect(try await says("LOADING"))
            try scratch.write("services: {sessions: {type: redis, url: 'redis://127.0.0.1:\(port)/0'}}", to: "f.yaml")
            let output = try await Command.run([FailoverProcess.binary, "ping", "--config", scratch.path("f.yaml")])
            kill(loading.pid, SIGKILL)
            _ = try await loading.status()
            #expect(output.status == 1)
            #expect(output.standardOutput.contains("starting up"), "\(output.standardOutput)")
        }
    }
}

import FailoverTesting
import Foundation
import Testing

extension RealServers {
    /// A real Redis that takes more than a minute to load its data.
    @Suite("A Redis that loads")
    struct RedisLoadingTests {
        private let scratch: Scratch

        init() throws { scratch = try Scratch() }

        private func start(_ arguments: String...) throws -> ChildProcess {
            try ChildProcess(
                [
                    "redis-server", "--unixsocket", scratch.path("socket"), "--bind", "127.0.0.1", "--save", "",
                    "--dir",
                    scratch.path(""),
                ] + arguments, output: scratch.path("log"), error: scratch.path("log"))
        }

        private func ask(_ words: String...) async throws -> String {
            try await Command.run(["redis-cli", "-s", scratch.path("socket")] + words).standardOutput
        }

        private func says(_ text: String) async throws -> Bool {
            try await eventually { try await ask("ping").hasPrefix(text) }
        }

        /// Starts a Redis that loads what the first one has stored, at a port that no other process has taken
        /// meanwhile.
        private func startLoading() async throws -> (process: ChildProcess, port: UInt16) {
            while true {
                let port = UnusedPort().port
                // One millisecond per key; it answers other requests in between.
                let process = try start(
                    "--port", "\(port)", "--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024")
                let isTaken = "Address already in use"
                #expect(
                    try await eventually {
                        try await ask("ping").hasPrefix("LOADING") || scratch.text("log").contains(isTaken)
                    }, "\(scratch.text("log"))")
                guard scratch.text("log").contains(isTaken) else { return (process, port) }
                try scratch.remove("log")
            }
        }

        @Test func itIsDownAndSaysThatItStartsUp() async throws {
            let first = try start("--port", "0", "--enable-debug-command", "yes")
            #expect(try await says("PONG"))
            #expect(try await ask("debug", "populate", "100000") == "OK\n")
            #expect(try await ask("save") == "OK\n")
            first.signal(SIGKILL)
            _ = try await first.status()

            let (loading, port) = try await startLoading()
            try scratch.write("services: {sessions: {type: redis, url: 'redis://127.0.0.1:\(port)/0'}}", to: "f.yaml")
            let output = try await Command.run([FailoverProcess.binary, "ping", "--config", scratch.path("f.yaml")])
            loading.signal(SIGKILL)
            _ = try await loading.status()
            #expect(output.status == 1)
            #expect(output.standardOutput.contains("starting up"), "\(output.standardOutput)")
        }
    }
}

import FailoverTesting
import Foundation
import Testing

/// The programs of `Sources/Examples` do what their comments say.
@Suite("Examples", .timeLimit(.minutes(5)))
struct ExamplesTests {
    private func path(_ name: String) -> String {
        URL(fileURLWithPath: FailoverProcess.binary).deletingLastPathComponent().appendingPathComponent(name).path
    }

    private func output(_ name: String, _ arguments: String...) async throws -> [String] {
        let output = try await Command.run([path(name)] + arguments)
        #expect(output.status == 0, "\(output.standardError)")
        return output.standardOutput.split(separator: "\n").map(String.init)
    }

    /// The port that the embedded proxy logs.
    private static func port(in log: URL) -> Int? {
        let text = try? String(contentsOf: log, encoding: .utf8)
        return text?.firstMatch(of: /address=127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) }
    }

    @Test func aServiceOfYourOwnFailsOverAndRecovers() async throws {
        #expect(
            try await output("ServiceOfYourOwn")
                == ["uploads go to the folder", "uploads go to memory", "uploads go to the folder"])
    }

    @Test func aroundClosuresServicesArePingedFirst() async throws {
        #expect(
            try await output("AroundClosures", "127.0.0.1", "\(UnusedPort().port)")
                == ["a page made anew", "cache is down"])
        let memcached = FaultyServer { client in
            while let text = String(bytes: client.receive(), encoding: .utf8), !text.isEmpty {
                client.send(Array("VERSION 1.6\r\n".utf8))
            }
        }
        #expect(
            try await output("AroundClosures", "127.0.0.1", "\(memcached.port)")
                == ["a page from the cache", "cache is up"])
    }

    @Test func theLogHandlerFindsTheOutageBehindALoggedError() async throws {
        #expect(
            try await output("LogHandler", "127.0.0.1", "\(UnusedPort().port)") == [
                "after an error of another kind search is up", "search outage. Failover initiated.  refused",
            ])
    }

    @Test func theEmbeddedProxyServesAndEndsWithItsProgram() async throws {
        let backend = EchoBackend(greeting: "hello")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("example-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let configuration = """
            databases: {default: {engine: tcp, host: 127.0.0.1, port: \(backend.port)}}
            services: {slave: {type: database, db_alias: default, listen: "127.0.0.1:0"}}
            """
        let file = folder.appendingPathComponent("failover.yaml")
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        let log = folder.appendingPathComponent("log")
        let process = try ChildProcess([path("EmbeddedProxy"), file.path], output: "/dev/null", error: log.path)
        #expect(await eventually { Self.port(in: log) != nil })
        #expect(try await TCPClient.connect(port: Self.port(in: log) ?? 0).receiveText(5) == "hello")
        kill(process.pid, SIGTERM)
        #expect(try await process.status() == 0)
    }
}

import FailoverTesting
import Foundation
import Testing

/// The programs of `Sources/Examples` do what their comments describe.
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
    private static func port(in log: String) -> Int? {
        log.firstMatch(of: /address=127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) }
    }

    @Test func aServiceOfYourOwnFailsOverAndRecovers() async throws {
        #expect(
            try await output("ServiceOfYourOwn")
                == ["uploads go to the folder", "uploads go to memory", "uploads go to the folder"])
    }

    @Test func aroundClosuresServicesArePingedFirst() async throws {
        let unused = UnusedPort()
        #expect(
            try await output("AroundClosures", "127.0.0.1", "\(unused.port)")
                == ["a page built without the cache", "cache is down"])
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
        let unused = UnusedPort()
        #expect(
            try await output("LogHandler", "127.0.0.1", "\(unused.port)") == [
                "after an error of another kind search is up", "search outage. Failover initiated.  refused",
            ])
    }

    @Test func theEmbeddedProxyServesAndEndsWithItsProgram() async throws {
        let backend = EchoBackend(greeting: "hello")
        let scratch = try Scratch()
        let configuration = """
            databases: {default: {engine: tcp, host: 127.0.0.1, port: \(backend.port)}}
            services: {slave: {type: database, db_alias: default, listen: "127.0.0.1:0"}}
            """
        try scratch.write(configuration, to: "failover.yaml")
        let process = try ChildProcess(
            [path("EmbeddedProxy"), scratch.path("failover.yaml")], output: "/dev/null", error: scratch.path("log"))
        #expect(await eventually { Self.port(in: scratch.text("log")) != nil })
        #expect(try await TCPClient.connect(port: Self.port(in: scratch.text("log")) ?? 0).receiveText(5) == "hello")
        process.signal(SIGTERM)
        #expect(try await process.status() == 0)
    }
}

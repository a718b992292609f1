import FailoverTesting
import Foundation
import Testing

/// A real memcached for one test, at a port that the system chooses.
final class Memcached: Sendable {
    let port: UInt16
    private let process: ChildProcess

    init() async throws {
        let scratch = try Scratch()
        process = try ChildProcess(
            ["memcached", "-u", NSUserName(), "-l", "127.0.0.1", "-p", "-1", "-U", "0"],
            environment: ["MEMCACHED_PORT_FILENAME": scratch.path("port")], output: scratch.path("out"),
            error: scratch.path("out"))
        // memcached renames the file after writing it. `TCP INET: 12345`
        #expect(await eventually { !scratch.text("port").isEmpty }, "\(scratch.text("out"))")
        port = try #require(scratch.text("port").firstMatch(of: /TCP INET: (\d+)/).flatMap { UInt16($0.1) })
    }

    deinit { process.signal(SIGKILL) }

    /// Ends it, and waits for the end.
    func end() async throws {
        process.signal(SIGKILL)
        _ = try await process.status()
    }
}

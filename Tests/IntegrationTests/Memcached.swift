import FailoverTesting
import Foundation

/// A real memcached of one test's own, at a port that was free a moment ago.
final class Memcached: Sendable {
    let port: UInt16
    private let process: ChildProcess

    init() async throws {
        let port = UnusedPort().port
        self.port = port
        process = try ChildProcess(
            ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", "\(port)"], output: "/dev/null", error: "/dev/null")
        _ = await eventually { (try? await TCPClient.connect(port: Int(port))) != nil }
    }

    deinit { kill(process.pid, SIGKILL) }

    /// Ends it, and waits for that.
    func end() async throws {
        kill(process.pid, SIGKILL)
        _ = try await process.status()
    }
}

import FailoverTesting
import Foundation
import Testing

/// The real executable, as a user runs it.
final class FailoverProcess: Sendable {
    static let binary =
        ProcessInfo.processInfo.environment["FAILOVER_BINARY"] ?? "\(Laboratory.root)/.build/debug/failover"

    let pid: Int32
    private let process: RunningProcess
    private let directory: URL

    /// Starts `failover serve` with this configuration.
    ///
    /// - Parameter prefix: commands that the executable runs under, as in `prlimit --nofile=200`.
    init(configuration: String, prefix: [String] = []) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("failover-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let file = directory.appendingPathComponent("failover.yaml")
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        process = try RunningProcess(
            prefix + [Self.binary, "serve", "--config", file.path], log: directory.appendingPathComponent("log"))
        pid = process.pid
    }

    deinit {
        kill(pid, SIGKILL)
        try? FileManager.default.removeItem(at: directory)
    }

    /// The log's lines so far, without their time stamps.
    var log: [String] {
        let text = (try? String(contentsOf: directory.appendingPathComponent("log"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { line in
            String(line.split(separator: " ", maxSplits: 1).last ?? "")
        }
    }

    /// Whether a line that contains the text comes.
    func logs(_ text: String) async -> Bool {
        await eventually { self.log.contains { $0.contains(text) } }
    }

    /// The port that the system chose for the route `slave`.
    func port() async throws -> Int {
        #expect(await logs("slave: listening"))
        let line = log.first { $0.contains("slave: listening") } ?? ""
        return Int(line.split(separator: ":").last ?? "") ?? 0
    }

    func signal(_ signal: Int32) { kill(pid, signal) }

    /// Waits for the end; the exit status.
    func status() async throws -> Int32 { try await process.status() }
}

/// A child process whose end can be awaited. Confines Foundation's `Process` to one thread.
private final class RunningProcess: Sendable {
    let pid: Int32
    private let ended: Task<Int32, any Error>

    init(_ arguments: [String], log: URL) throws {
        try Data().write(to: log)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: log)
        let (statuses, status) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { status.yield($0.terminationReason == .exit ? $0.terminationStatus : -1) }
        try process.run()
        pid = process.processIdentifier
        ended = Task {
            for await status in statuses { return status }
            throw CancellationError()
        }
    }

    func status() async throws -> Int32 { try await ended.value }
}

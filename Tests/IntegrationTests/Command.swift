import FailoverTesting
import Foundation

/// A program that runs to its end.
enum Command {
    struct Output: Sendable {
        let status: Int32
        let standardOutput: String
        let standardError: String
    }

    /// Runs a command and collects what it prints.
    ///
    /// - Parameter arguments: the program, looked up in `PATH`, and its arguments.
    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Output {
        try await onThread {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            // Files, not pipes: what a command leaves running keeps the pipe open.
            let directory = FileManager.default.temporaryDirectory
            let paths = ["out", "err"].map { directory.appendingPathComponent("failover-\(UUID()).\($0)") }
            defer { for path in paths { try? FileManager.default.removeItem(at: path) } }
            for path in paths { try Data().write(to: path) }
            process.standardOutput = try FileHandle(forWritingTo: paths[0])
            process.standardError = try FileHandle(forWritingTo: paths[1])
            process.standardInput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            let texts = try paths.map { try String(contentsOf: $0, encoding: .utf8) }
            return Output(status: process.terminationStatus, standardOutput: texts[0], standardError: texts[1])
        }
    }
}

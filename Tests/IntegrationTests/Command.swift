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
        let paths = ["out", "err"].map {
            FileManager.default.temporaryDirectory.appendingPathComponent("failover-\(UUID()).\($0)")
        }
        defer { for path in paths { try? FileManager.default.removeItem(at: path) } }
        let child = try ChildProcess(
            arguments, environment: environment, output: paths[0].path, error: paths[1].path)
        let status = try await child.status()
        let texts = try paths.map { try String(contentsOf: $0, encoding: .utf8) }
        return Output(status: status, standardOutput: texts[0], standardError: texts[1])
    }
}

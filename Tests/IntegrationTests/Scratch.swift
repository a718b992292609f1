import FailoverTesting
import Foundation

/// A folder of one test, for scripts and what they write. It lives until the test lets go of it.
final class Scratch: Sendable {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("failover-\(UUID())")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// What a file holds; empty while there is none.
    func text(_ name: String) -> String { (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? "" }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    /// An executable shell script; its path.
    func script(_ name: String, _ lines: String) throws -> String {
        try ExecutableScript.write(lines, to: path(name))
        return path(name)
    }
}

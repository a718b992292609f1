import Foundation

/// A folder for one test, for scripts and their output. It is removed with this value.
public final class Scratch: Sendable {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("failover-\(UUID())")

    public init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    public func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// The content of a file; empty if there is none.
    public func text(_ name: String) -> String { (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? "" }

    public func write(_ text: String, to name: String) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }

    public func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    /// Writes an executable shell script, and returns its path.
    public func script(_ name: String, _ lines: String) throws -> String {
        try ExecutableScript.write(lines, to: path(name))
        return path(name)
    }
}

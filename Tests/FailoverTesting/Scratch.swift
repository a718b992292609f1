import Foundation

/// A folder of one test, for scripts and what they write. It lives until the test lets go of it.
public final class Scratch: Sendable {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("failover-\(UUID())")

    public init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    public func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// What a file holds; empty while there is none.
    public func text(_ name: String) -> String { (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? "" }

    public func write(_ text: String, to name: String) throws {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    }

    public func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    /// An executable shell script; its path.
    public func script(_ name: String, _ lines: String) throws -> String {
        try ExecutableScript.write(lines, to: path(name))
        return path(name)
    }
}

import Foundation

/// An input that the fuzzer starts from, or has found worth keeping, and its target.
public struct CorpusFile: Sendable, CustomStringConvertible {
    public let target: FuzzTarget
    private let path: URL

    public var description: String { "\(target.name)/\(path.lastPathComponent)" }

    /// The inputs of the targets. Each target has at least one.
    ///
    /// - Parameter testFile: a file in the folder of the tests, beside `Corpus`.
    public static func all(of targets: [FuzzTarget], besides testFile: String = #filePath) throws -> [CorpusFile] {
        let corpus = URL(filePath: testFile).deletingLastPathComponent().appending(path: "Corpus")
        return try targets.flatMap { target in
            try FileManager.default.contentsOfDirectory(
                at: corpus.appending(path: target.name), includingPropertiesForKeys: nil
            ).sorted { $0.path < $1.path }.map { CorpusFile(target: target, path: $0) }
        }
    }

    /// The violated property of the target; `nil` if there is none.
    public var violation: String? { get throws { try violation(of: target) } }

    /// The same, for another target.
    public func violation(of target: FuzzTarget) throws -> String? {
        target.violation(in: Array(try Data(contentsOf: path)))
    }
}

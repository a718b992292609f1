import Foundation
import Testing

@testable import FailoverProxy

/// A session between a real client and MariaDB 10.11, recorded by `Transcripts/record-mysql`.
struct Transcript: CustomTestStringConvertible, Sendable {
    let url: URL

    var testDescription: String { url.lastPathComponent }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    func script() throws -> SessionScript { SessionScript(text: try String(contentsOf: url, encoding: .utf8)) }

    static func all(of protocol: String) throws -> [Transcript] {
        try files(in: "Transcripts/\(`protocol`)").filter { $0.pathExtension == "transcript" }.map(Transcript.init)
    }

    static func files(in path: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder.appending(path: path), includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }
    }
}

@Suite("Transcripts of real clients and MariaDB")
struct MySQLTranscriptTests {
    @Test(arguments: try Transcript.all(of: "mysql"), Chunking.allCases)
    func isUnderstood(_ transcript: Transcript, _ chunking: Chunking) throws {
        var reader = MySQLReader()
        let events = try transcript.script().events
        for (index, event) in events.enumerated() {
            reader.play(event, chunking)
            guard case .expect(let expected) = event else { continue }
            #expect(reader.isAtBoundary == (expected == "boundary"), "line \(index + 1): \(expected)")
            #expect(reader.isReadable == (expected != "opaque"), "line \(index + 1): \(expected)")
            #expect(reader.errorSequence == nil, "line \(index + 1): nobody waits")
        }
    }

    @Test(arguments: try Transcript.all(of: "mysql"))
    func holdsWhatMustHoldOfEverySession(_ transcript: Transcript) throws {
        let script = try transcript.script()
        #expect(MySQLReader.violation(in: script) == nil)
    }
}

import Foundation
import Glibc
import Logging
import Testing

@testable import FailoverTelemetry

@Suite("The log for machines", .timeLimit(.minutes(5)))
struct JSONLineTests {
    private struct Broken: Error {}

    private func written(style: LogStyle = .plain, _ body: (Logger) -> Void) throws -> String {
        try LoggedText.of(
            { LineLogHandler(.json, threshold: LogThreshold(.info), output: $0, style: style, time: { "NOW" }) }, body)
    }

    @Test func anEventIsOneObjectALine() throws {
        let text = try written { $0.critical("slave\nouta\"ge", metadata: ["reason": "refused", "detail": "é\u{1b}"]) }
        #expect(text.split(separator: "\n").count == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["time"] as? String == "NOW")
        #expect(object["level"] as? String == "critical")
        #expect(object["message"] as? String == "slave\nouta\"ge")
        #expect(object["metadata"] as? [String: String] == ["reason": "refused", "detail": "é\u{1b}"])
    }

    @Test func anErrorIsPartOfTheObject() throws {
        let text = try written { $0.error("failed", error: Broken()) }
        #expect(text == #"{"level":"error","message":"failed","metadata":{"error":"Broken()"},"time":"NOW"}"# + "\n")
    }

    @Test func theJournalGetsAPriorityToo() throws {
        #expect(try written(style: .journal) { $0.warning("slow") }.hasPrefix("<4>{"))
    }
}

@Suite("Log style by reader")
struct LogStyleTests {
    @Test func aPipeIsPlain() {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        #expect(LogStyle.suiting(descriptor: ends[1]) { _ in nil } == .plain)
        var status = stat()
        #expect(fstat(ends[1], &status) == 0)
        let stream = "\(status.st_dev):\(status.st_ino)"
        #expect(LogStyle.suiting(descriptor: ends[1]) { $0 == "JOURNAL_STREAM" ? stream : nil } == .journal)
        #expect(LogStyle.suiting(descriptor: ends[1]) { $0 == "JOURNAL_STREAM" ? "1:1" : nil } == .plain)
    }

    @Test func aTerminalHasColourUnlessItsUserWantsNone() throws {
        let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(terminal >= 0)
        defer { close(terminal) }
        #expect(LogStyle.suiting(descriptor: terminal) { _ in nil } == .colour)
        #expect(LogStyle.suiting(descriptor: terminal) { $0 == "NO_COLOR" ? "1" : nil } == .plain)
        #expect(LogStyle.suiting(descriptor: terminal) { $0 == "TERM" ? "dumb" : nil } == .plain)
    }
}

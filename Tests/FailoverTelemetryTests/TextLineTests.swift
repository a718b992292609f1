import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
import Logging
import Testing

@testable import FailoverTelemetry

@Suite("The log for people", .timeLimit(.minutes(5)))
struct TextLineTests {
    private func written(style: LogStyle = .plain, _ body: (Logger) -> Void) throws -> String {
        try LoggedText.of(
            { LineLogHandler(.text, threshold: LogThreshold(.info), output: $0, style: style, time: { "NOW" }) }, body)
    }

    @Test func anEventIsOneLineWithTimeLevelMessageAndSortedPairs() throws {
        let text = try written { $0.critical("slave outage.", metadata: ["reason": "refused", "detail": "a b"]) }
        #expect(text == "NOW CRITICAL slave outage. detail=\"a b\" reason=refused\n")
    }

    @Test func theJournalGetsAPriorityInsteadOfTimeAndLevel() throws {
        let text = try written(style: .journal) {
            $0.critical("slave outage.")
            $0.info("slave is back up.")
        }
        #expect(text == "<2>slave outage.\n<6>slave is back up.\n")
    }

    @Test func aTerminalGetsTheLevelInColour() throws {
        #expect(try written(style: .colour) { $0.error("failed") } == "NOW \u{1b}[31mERROR\u{1b}[0m failed\n")
    }

    @Test func lowerLevelsAreLeftOut() throws {
        #expect(try written { $0.debug("unseen") } == "")
    }

    @Test func wordsFromElsewhereCannotForgeALine() throws {
        let text = try written { $0.info("one\nNOW INFO two", metadata: ["k": "x\r\ny=\"z\"", "e": "\u{1b}[31m"]) }
        #expect(text == "NOW INFO one NOW INFO two e=\" [31m\" k=\"x  y=\\\"z\\\"\"\n")
    }

    @Test func anErrorIsPartOfTheLine() throws {
        struct Broken: Error {}
        #expect(try written { $0.error("failed", error: Broken()) } == "NOW ERROR failed error=Broken()\n")
    }

    @Test func aReaderThatStallsStallsNobodyAndLosesOnlyWhatWasTooMuch() async throws {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        let output = LogOutput(descriptor: writer, capacity: 1000)
        // The pipe holds 64 KiB. Beyond that, lines wait up to the capacity, and the rest is dropped.
        let line = String(repeating: "x", count: 999)
        for _ in 0..<2000 { output.write(line) }
        let ending = Task {
            try await onThread {
                output.flush(within: .seconds(300))
                output.write("end")
                output.flush(within: .seconds(300))
                close(writer)
            }
        }
        let lines = try await onThread {
            var text: [UInt8] = []
            var part = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = read(reader, &part, part.count)
                guard count > 0 else { break }
                text += part[..<count]
            }
            close(reader)
            return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
        }
        try await ending.value
        let kept = lines.count { $0 == line }
        #expect(kept >= 1000)
        #expect(kept < 2000)
        // Space may come and go while the lines are written. Each loss is reported once.
        let told = lines.compactMap { $0.wholeMatch(of: /(\d+) log lines were dropped: .*/).flatMap { Int($0.1) } }
        #expect(told.reduce(0, +) == 2000 - kept)
    }

    @Test func timeStampsAreUTCWithMilliseconds() {
        #expect(WallTime(sinceEpoch: .nanoseconds(5_999_999)).text == "1970-01-01T00:00:00.005Z")
        #expect(WallTime(sinceEpoch: .seconds(1_767_323_045)).text == "2026-01-02T03:04:05.000Z")
    }
}

import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
import Logging
import Testing

@testable import FailoverNotify

@Suite("The log for people", .timeLimit(.minutes(5)))
struct TextLogHandlerTests {
    /// What a logger wrote, read from the other end of a pipe.
    private func written(_ body: (Logger) -> Void) throws -> String {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let output = LogOutput(descriptor: ends[1])
        body(Logger(label: "test") { _ in TextLogHandler(level: .info, output: output, time: { "NOW" }) })
        output.flush(within: .seconds(30))
        close(ends[1])
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
            count = max(0, read(ends[0], buffer.baseAddress, buffer.count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func anEventIsOneLineWithTimeLevelMessageAndSortedPairs() throws {
        let text = try written { $0.critical("slave outage.", metadata: ["reason": "refused", "detail": "a b"]) }
        #expect(text == "NOW CRITICAL slave outage. detail=\"a b\" reason=refused\n")
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
        // The pipe holds 64 KiB; up to the capacity waits beyond that, and the rest is dropped.
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
        #expect(lines.contains("\(2000 - kept) log lines were dropped: the log's reader is too slow"))
    }

    @Test func timeStampsAreUTCWithMilliseconds() {
        #expect(WallTime(sinceEpoch: .nanoseconds(5_999_999)).text == "1970-01-01T00:00:00.005Z")
        #expect(WallTime(sinceEpoch: .seconds(1_767_323_045)).text == "2026-01-02T03:04:05.000Z")
    }
}

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
        let output = LogOutput(descriptor: ends[1])
        // The pipe holds 64 KiB; everything beyond waits, and what is beyond that is dropped.
        let line = String(repeating: "x", count: 99)
        for _ in 0..<20_000 { output.write(line) }
        let reader = ends[0]
        let reading = Task {
            try await onThread {
                var lines = 0
                var dropped = ""
                guard let file = fdopen(reader, "r") else { return (0, "") }
                var buffer = [CChar](repeating: 0, count: 200)
                while fgets(&buffer, 200, file) != nil {
                    let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                    if text.contains("dropped") { dropped = text } else { lines += 1 }
                    if text == "end\n" { break }
                }
                fclose(file)
                return (lines, dropped)
            }
        }
        output.flush(within: .seconds(30))
        output.write("end")
        let (lines, dropped) = try await reading.value
        #expect(lines >= 10_000)
        #expect(lines < 20_000)
        #expect(dropped == "\(20_000 - (lines - 1)) log lines were dropped: the log's reader is too slow\n")
        close(ends[1])
    }

    @Test func timeStampsAreUTCWithMilliseconds() {
        #expect(Timestamp.text(seconds: 0, nanoseconds: 5_999_999) == "1970-01-01T00:00:00.005Z")
        #expect(Timestamp.text(seconds: 1_767_323_045, nanoseconds: 0) == "2026-01-02T03:04:05.000Z")
    }
}

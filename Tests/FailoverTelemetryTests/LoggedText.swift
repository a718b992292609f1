import Glibc
import Logging
import Testing

@testable import FailoverTelemetry

/// The output of a logger, read from the other end of a pipe.
enum LoggedText {
    static func of(_ handler: @escaping (LogOutput) -> any LogHandler, _ body: (Logger) -> Void) throws -> String {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let output = LogOutput(descriptor: ends[1])
        body(Logger(label: "test") { _ in handler(output) })
        output.flush(within: .seconds(240))
        close(ends[1])
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
            count = max(0, read(ends[0], buffer.baseAddress, buffer.count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

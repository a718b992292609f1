import FailoverSystem
import Foundation

/// The lines that a process has written to a file so far. Continues reading where the last read ended, because
/// waiting for a line reads hundreds of times a second.
final class WrittenLog: Sendable {
    private struct State {
        var offset: UInt64 = 0
        var lines: [String] = []
        /// The start of a line that is not complete yet.
        var rest: [UInt8] = []
    }

    private let path: String
    private let state = Lock(State())

    init(_ path: String) { self.path = path }

    var lines: [String] {
        state.withLock { state in
            guard let file = FileHandle(forReadingAtPath: path) else { return state.lines }
            defer { try? file.close() }
            guard (try? file.seek(toOffset: state.offset)) != nil, let bytes = try? file.readToEnd() else {
                return state.lines
            }
            state.offset += UInt64(bytes.count)
            var pieces = (state.rest + bytes).split(
                separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            state.rest = Array(pieces.removeLast())
            state.lines += pieces.map { String(decoding: $0, as: UTF8.self) }
            return state.lines
        }
    }
}

import Dispatch
import Glibc
import Synchronization

/// Writes log lines to a descriptor. The writes run on a separate queue, so that a slow reader does not delay an event
/// loop.
///
/// If too many lines wait, further lines are dropped, and one line reports how many.
package final class LogOutput: Sendable {
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "log")
    private let waiting = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)
    private let capacity: Int
    private let lossLine: @Sendable (Int) -> String

    /// - Parameters:
    ///   - descriptor: the descriptor, which is not closed; by default standard error.
    ///   - capacity: the maximum number of lines that wait; by default 10 000.
    ///   - lossLine: returns the line that reports how many lines were dropped.
    package init(
        descriptor: Int32 = 2, capacity: Int = 10_000,
        lossLine: @escaping @Sendable (Int) -> String = { "\($0) log lines were dropped: the log's reader is too slow" }
    ) {
        self.descriptor = descriptor
        self.capacity = capacity
        self.lossLine = lossLine
    }

    /// Queues one line; never blocks.
    package func write(_ line: String) {
        guard waiting.add(1, ordering: .relaxed).newValue <= capacity else {
            waiting.subtract(1, ordering: .relaxed)
            dropped.add(1, ordering: .relaxed)
            return
        }
        queue.async { [self] in
            let lost = dropped.exchange(0, ordering: .relaxed)
            if lost > 0 { writeNow(lossLine(lost) + "\n") }
            writeNow(line + "\n")
            waiting.subtract(1, ordering: .relaxed)
        }
    }

    /// Waits until all queued lines are written, or the limit has passed.
    package func flush(within limit: Duration) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + .milliseconds(Int(limit / .milliseconds(1))))
    }

    private func writeNow(_ text: String) {
        var rest = Substring(text).utf8
        while !rest.isEmpty {
            let count =
                rest.withContiguousStorageIfAvailable { Glibc.write(descriptor, $0.baseAddress, $0.count) } ?? -1
            if count >= 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
        }
    }
}

import FailoverCore
import FailoverSystem
import Glibc

/// Blocks the threads that wait at it until it opens.
final class Gate: Sendable {
    private let ends: (wait: Int32, open: Int32)
    private let isOpen = Lock(false)

    init() {
        var pair: [Int32] = [-1, -1]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
        ends = (pair[0], pair[1])
    }

    deinit {
        open()
        close(ends.wait)
    }

    func wait() {
        var byte: UInt8 = 0
        _ = recv(ends.wait, &byte, 1, 0)
    }

    func open() {
        isOpen.withLock { isOpen in
            if !isOpen { close(ends.open) }
            isOpen = true
        }
    }
}

/// Counts, on any thread.
final class Counter: Sendable {
    private let count = Lock(0)

    var value: Int { count.withLock { $0 } }

    func increment() { count.withLock { $0 += 1 } }
}

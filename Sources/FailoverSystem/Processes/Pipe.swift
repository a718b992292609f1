import CLinux
import Glibc

/// Both ends of a pipe, neither of which a child inherits; closed when it goes out of use.
struct Pipe: ~Copyable {
    private(set) var reading: Int32
    private(set) var writing: Int32

    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { throw SystemError.last(of: "pipe") }
        reading = ends[0]
        writing = ends[1]
    }

    deinit { for end in [reading, writing] where end >= 0 { close(end) } }

    mutating func closeReading() {
        if reading >= 0 { close(reading) }
        reading = -1
    }

    mutating func closeWriting() {
        if writing >= 0 { close(writing) }
        writing = -1
    }

    /// From now on the ends that are open return at once.
    func doNotBlock() {
        for end in [reading, writing] where end >= 0 { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
    }
}

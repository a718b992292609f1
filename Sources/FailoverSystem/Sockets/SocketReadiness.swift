import Glibc

/// What poll(2) said about one descriptor.
package enum SocketReadiness {
    case ready
    case timedOut
    case failed(SystemError)

    /// Waits until the descriptor is ready for one of `events` (or broken, which the next call on it will tell).
    package static func wait(for events: Int32, on descriptor: Int32, until deadline: Deadline) -> SocketReadiness {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            // Also a peer that is always ready must not outlive the deadline.
            if deadline.hasPassed { return .timedOut }
            let count = poll(&entry, 1, deadline.remainingMilliseconds)
            if count > 0 { return .ready }
            if count < 0 && errno != EINTR { return .failed(.last()) }
        }
    }
}

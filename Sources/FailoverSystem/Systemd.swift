import CLinux
import Glibc

/// Reports the state of this process to systemd: sd_notify(3). Does nothing if systemd did not start the process.
package struct SystemdNotifier: Sendable {
    private let path: String?
    /// The time within which systemd expects the next call of ``alive()``; `nil` if it expects none.
    package let watchdogInterval: Duration?

    /// Reads the environment of this process.
    package init() {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        path = variable("NOTIFY_SOCKET")
        let isForUs = variable("WATCHDOG_PID").map { $0 == "\(getpid())" } ?? true
        watchdogInterval = isForUs ? variable("WATCHDOG_USEC").flatMap(Self.interval) : nil
    }

    /// The value of `WATCHDOG_USEC`: microseconds, more than 0; `nil` if it is not such a number.
    static func interval(_ text: String) -> Duration? {
        guard let microseconds = Int64(text), microseconds > 0 else { return nil }
        return .microseconds(microseconds)
    }

    /// Reports that the listeners are open, or that a new configuration is in effect.
    package func ready(_ status: String) { tell("READY=1\nSTATUS=\(status)") }

    /// Reports that the configuration is being reloaded.
    package func reloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        tell("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)")
    }

    /// Reports that the process is stopping.
    package func stopping() { tell("STOPPING=1\nSTATUS=stopping: waiting for sessions to end") }

    /// Reports that the process is alive.
    package func alive() { tell("WATCHDOG=1") }

    private func tell(_ message: String) {
        guard let path else { return }
        // `@` stands for the zero byte of an abstract address.
        let name = path.hasPrefix("@") ? [0] + Array(path.utf8.dropFirst()) : Array(path.utf8)
        var address = sockaddr_un()
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        let bytes = Array(message.utf8)
        _ = withUnsafeBytes(of: address) { raw in
            sendto(
                socket, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT),
                raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), length)
        }
    }
}

/// The sockets that systemd passes to this process: sd_listen_fds(3).
package enum SystemdSockets {
    private static let first: Int32 = 3

    /// Returns the sockets and removes the variables, so that no child process sees them. Empty if there are none for
    /// this process.
    package static func take() -> [Int32] {
        defer { for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) } }
        guard variable("LISTEN_PID") == Int(getpid()), let count = variable("LISTEN_FDS"), (1...10_000).contains(count)
        else { return [] }
        return (first..<first + Int32(count)).filter { fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }
    }

    private static func variable(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
}

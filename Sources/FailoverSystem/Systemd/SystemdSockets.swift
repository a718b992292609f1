import Glibc

/// The sockets that systemd listens at on behalf of this process: sd_listen_fds(3).
package enum SystemdSockets {
    private static let first: Int32 = 3

    /// Takes them, and forgets them, so that no child finds them; none when there are none for this process.
    package static func take() -> [Int32] {
        defer { for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) } }
        guard variable("LISTEN_PID") == Int(getpid()), let count = variable("LISTEN_FDS"), (1...10_000).contains(count)
        else { return [] }
        return (first..<first + Int32(count)).filter { fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }
    }

    private static func variable(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }
}

import CLinux
import Glibc

/// Tells systemd how this process does: sd_notify(3). Nobody is told when it was not started by systemd.
package struct SystemdNotifier: Sendable {
    private let path: String?
    /// How often the service manager wants to hear that the process is alive; `nil` when it does not.
    package let watchdogInterval: Duration?

    /// The one of this process's environment.
    package init() {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        path = variable("NOTIFY_SOCKET")
        let isForUs = variable("WATCHDOG_PID").map { $0 == "\(getpid())" } ?? true
        watchdogInterval = isForUs ? variable("WATCHDOG_USEC").flatMap(Self.interval) : nil
    }

    /// What `WATCHDOG_USEC` says: microseconds, more than 0; `nil` if it is no such number.
    static func interval(_ text: String) -> Duration? {
        guard let microseconds = Int64(text), microseconds > 0 else { return nil }
        return .microseconds(microseconds)
    }

    /// Listeners are open, or a new configuration is in effect.
    package func ready(_ status: String) { tell("READY=1\nSTATUS=\(status)") }

    /// The configuration is being loaded anew.
    package func reloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        tell("RELOADING=1\nMONOTONIC_USEC=\(now.tv_sec * 1_000_000 + now.tv_nsec / 1000)")
    }

    package func stopping() { tell("STOPPING=1\nSTATUS=stopping: sessions may end") }

    /// The process is alive.
    package func alive() { tell("WATCHDOG=1") }

    private func tell(_ words: String) {
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
        let bytes = Array(words.utf8)
        _ = withUnsafeBytes(of: address) { raw in
            sendto(
                socket, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT),
                raw.baseAddress?.assumingMemoryBound(to: sockaddr.self), length)
        }
    }
}

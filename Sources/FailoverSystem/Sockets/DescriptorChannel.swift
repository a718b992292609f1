import CLinux
import FailoverCore
import Glibc

/// One end of a connection between two processes of this machine that passes messages, and descriptors with them: a
/// Unix socket that keeps messages whole, unix(7).
package final class DescriptorChannel: Sendable {
    private let socket: Int32

    /// The largest message.
    package static let mostBytes = 192 << 10

    fileprivate init(owning socket: Int32) { self.socket = socket }

    deinit { close(socket) }

    /// Connects to whoever listens at the path; `nil` when nobody does.
    ///
    /// - Throws: when that cannot be found out.
    package static func connect(_ path: String) throws(SystemError) -> DescriptorChannel? {
        guard let address = SocketAddress.unix(path: path) else { throw SystemError(ENAMETOOLONG) }
        let channel = DescriptorChannel(owning: try DescriptorListener.socket())
        guard address.withSocketAddress({ Glibc.connect(channel.socket, $0, $1) }) == 0 else {
            guard errno == ENOENT || errno == ECONNREFUSED else { throw .last(of: "connect") }
            return nil
        }
        return channel
    }

    /// Whether the process at the other end is of this process's user, or the superuser's.
    package var isOfSameUser: Bool {
        let user = clinux_peer_user(socket)
        return user == 0 || user == Int(geteuid())
    }

    /// Sends a message; the descriptors stay open here too.
    package func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws(SystemError) {
        let sent = clinux_send_descriptors(socket, bytes, bytes.count, descriptors, Int32(descriptors.count))
        guard sent == bytes.count else { throw .last(of: "sendmsg") }
    }

    /// The next message, and the descriptors that came with it; `nil` when the other end has closed.
    ///
    /// - Throws: `ETIMEDOUT` when there is none within the limit.
    package func receive(within limit: Duration) throws(SystemError) -> (bytes: [UInt8], descriptors: [Int32])? {
        var entry = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, Deadline(limit).remainingMilliseconds) > 0 else {
            throw SystemError(ETIMEDOUT, of: "poll")
        }
        var bytes = [UInt8](repeating: 0, count: Self.mostBytes)
        var descriptors = [Int32](repeating: -1, count: Int(CLINUX_MOST_DESCRIPTORS))
        var count = CLINUX_MOST_DESCRIPTORS
        let received = clinux_receive_descriptors(socket, &bytes, bytes.count, &descriptors, &count)
        guard received >= 0 else { throw .last(of: "recvmsg") }
        guard received > 0 else { return nil }
        return (Array(bytes.prefix(received)), Array(descriptors.prefix(Int(count))))
    }
}

/// Waits for others who want a ``DescriptorChannel``. Only this process's user may connect.
package final class DescriptorListener: Sendable {
    package let path: String
    private let listening: Int32
    /// Its other end ends the waiting.
    private let stopping: (wait: Int32, stop: Int32)

    /// Listens in place of one that nobody listens at any more.
    ///
    /// - Throws: `EADDRINUSE` when somebody does.
    package init(_ path: String) throws(SystemError) {
        guard let address = SocketAddress.unix(path: path) else { throw SystemError(ENAMETOOLONG) }
        try UnixSocketFile.removeAbandoned(address, isOfMessages: true)
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
            throw .last(of: "socketpair")
        }
        self.path = path
        stopping = (pair[0], pair[1])
        listening = try Self.socket()
        // Before bind(2), so that it is nobody else's from its first moment.
        guard fchmod(listening, 0o600) == 0, address.withSocketAddress({ bind(listening, $0, $1) }) == 0,
            listen(listening, 4) == 0
        else { throw .last(of: "bind") }
    }

    deinit {
        for descriptor in [listening, stopping.wait, stopping.stop] { close(descriptor) }
    }

    /// Waits for the next; `nil` once ``stop()`` was called.
    package func next() -> DescriptorChannel? {
        while true {
            var entries = [
                pollfd(fd: stopping.wait, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listening, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&entries, 2, -1) > 0 else { continue }
            if entries[0].revents != 0 { return nil }
            let socket = clinux_accept4(listening, Int32(SOCK_CLOEXEC.rawValue))
            if socket >= 0 { return DescriptorChannel(owning: socket) }
        }
    }

    /// Nobody is waited for any more.
    package func stop() {
        shutdown(stopping.stop, Int32(SHUT_RDWR))
        unlink(path)
    }

    fileprivate static func socket() throws(SystemError) -> Int32 {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw .last(of: "socket") }
        return socket
    }
}

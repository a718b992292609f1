import CLinux
import FailoverCore
import Glibc
import Synchronization

/// One end of a connection between two processes of this machine that carries messages and descriptors: a Unix socket
/// that preserves message boundaries, unix(7).
package final class DescriptorChannel: Sendable {
    private let socket: Int32

    /// The maximum size of a message, in bytes.
    package static let mostBytes = 192 << 10

    fileprivate init(owning socket: Int32) { self.socket = socket }

    deinit { close(socket) }

    /// Connects to the process that listens at the path; `nil` if there is none.
    ///
    /// - Throws: any other error of connect(2).
    package static func connect(_ path: String) throws(SystemError) -> DescriptorChannel? {
        guard let address = SocketAddress.unix(path: path) else { throw SystemError(ENAMETOOLONG) }
        let channel = DescriptorChannel(owning: try DescriptorListener.socket())
        guard address.withSocketAddress({ Glibc.connect(channel.socket, $0, $1) }) == 0 else {
            guard errno == ENOENT || errno == ECONNREFUSED else { throw .last(of: "connect") }
            return nil
        }
        return channel
    }

    /// Whether the process at the other end runs as the user of this process, or as root.
    package var isOfSameUser: Bool {
        let user = clinux_peer_user(socket)
        return user == 0 || user == Int(geteuid())
    }

    /// Sends a message. The descriptors also stay open in this process.
    package func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws(SystemError) {
        let sent = clinux_send_descriptors(socket, bytes, bytes.count, descriptors, Int32(descriptors.count))
        guard sent == bytes.count else { throw .last(of: "sendmsg") }
    }

    /// Waits for the next message and its descriptors. Returns `nil` if the other end has closed the connection.
    ///
    /// - Throws: `ETIMEDOUT` if no message arrives within the limit.
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

/// Accepts connections of ``DescriptorChannel``. Only the user of this process may connect.
package final class DescriptorListener: Sendable {
    package let path: String
    private let listening: Int32
    /// A socket pair. Shutting down `stop` ends the wait.
    private let stopping: (wait: Int32, stop: Int32)
    private let isStopped = Atomic<Bool>(false)

    /// Listens at the path. A socket file that an earlier process left there is replaced.
    ///
    /// - Throws: `EADDRINUSE` if another process listens there.
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
        // The mode is set before bind(2), so that other users can never connect.
        guard fchmod(listening, 0o600) == 0, address.withSocketAddress({ bind(listening, $0, $1) }) == 0,
            listen(listening, 4) == 0
        else { throw .last(of: "bind") }
    }

    deinit {
        for descriptor in [listening, stopping.wait, stopping.stop] { close(descriptor) }
    }

    /// Waits for the next connection; `nil` after ``stop()``.
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

    /// Ends the wait of ``next()`` and removes the socket file. Later calls do nothing, because the file may then
    /// belong to another process.
    package func stop() {
        guard !isStopped.exchange(true, ordering: .relaxed) else { return }
        shutdown(stopping.stop, Int32(SHUT_RDWR))
        unlink(path)
    }

    fileprivate static func socket() throws(SystemError) -> Int32 {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw .last(of: "socket") }
        return socket
    }
}

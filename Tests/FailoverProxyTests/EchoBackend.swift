import FailoverTesting
import Glibc
import Synchronization

@testable import FailoverProxy

/// A backend that says its name and then sends back what it gets, on a thread for each connection.
/// It lives until ``stop()`` or the end of the process.
final class EchoBackend: Sendable {
    let port: Int
    private let listener: Int32
    private let accepted = Atomic<Int>(0)

    /// How many connections there were.
    var connections: Int { accepted.load(ordering: .relaxed) }

    init(greeting: String = "", play: @escaping @Sendable (Int32) -> Void = EchoBackend.echo) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout.size(ofValue: address))
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length)
                getsockname(listener, address, &length)
            }
        }
        guard listen(listener, 1024) == 0 else { throw SystemError("listen") }
        self.listener = listener
        port = Int(in_port_t(bigEndian: address.sin_port))
        try LoopThread.start(name: "echo") { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { break }
                accepted.add(1, ordering: .relaxed)
                try? LoopThread.start(name: "echo") {
                    send(client, greeting, greeting.utf8.count, Int32(MSG_NOSIGNAL))
                    play(client)
                    close(client)
                }
            }
            close(listener)
        }
    }

    /// Connections are refused from now on.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Sends back what comes, until the peer ends.
    static let echo: @Sendable (Int32) -> Void = { client in
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
            while true {
                let count = recv(client, buffer.baseAddress, buffer.count, 0)
                guard count > 0 else { return }
                var sent = 0
                while sent < count {
                    let bytes = send(client, buffer.baseAddress?.advanced(by: sent), count - sent, Int32(MSG_NOSIGNAL))
                    guard bytes > 0 else { return }
                    sent += bytes
                }
            }
        }
    }
}

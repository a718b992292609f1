import Dispatch
import FailoverSystem
package import FailoverTLS
import Glibc

/// Scripts that speak TLS.
extension FaultyServerConnection {
    /// Completes a handshake as its server.
    ///
    /// - Returns: the connection within TLS; `nil` if the client does not complete it.
    package func beginTLS(_ context: TLSContext) -> FaultyServerConnection? {
        guard let tls = try? TLSPeer(context, descriptor: descriptor) else { return nil }
        var secured = self
        secured.tls = tls
        return secured
    }

    /// Ends the sending direction; within TLS with a closure alert.
    package func endSending() {
        if let tls { try? tls.endSending() } else { shutdown(descriptor, Int32(SHUT_WR)) }
    }

    /// Ends the sending direction without a closure alert.
    package func truncate() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Whether to hold partial segments back, so that messages arrive together. The kernel does so for 200 ms; tcp(7).
    package func holdsSegments(_ isHolding: Bool) {
        var number: Int32 = isHolding ? 1 : 0
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &number, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Whether the client has ended its direction within TLS with a closure alert; `nil` before the end.
    package var hasClosure: Bool? { tls?.hasClosure }

    /// Agrees to a PostgreSQL client's request for TLS; `nil` if it makes none, or does not complete the handshake.
    package func acceptPostgresTLS(_ context: TLSContext) -> FaultyServerConnection? {
        guard receive(exactly: 8) == [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f], send(Array("S".utf8)) else { return nil }
        return beginTLS(context)
    }

    /// Greets a MySQL client and begins TLS at its request; `nil` if it makes none, or does not complete the handshake.
    package func acceptMySQLTLS(_ context: TLSContext) -> FaultyServerConnection? {
        send(Self.mysqlGreeting(offersTLS: true))
        guard let request = receiveMySQLPacket(), request.count == 32 else { return nil }
        return beginTLS(context)
    }

    /// A correct server of PostgreSQL with TLS.
    package func servePostgres(in context: TLSContext) { acceptPostgresTLS(context)?.servePostgres() }

    /// A correct server of MySQL with TLS.
    package func serveMySQL(in context: TLSContext) {
        guard let secured = acceptMySQLTLS(context), secured.receiveMySQLPacket() != nil else { return }
        secured.sendMySQLOK(sequence: 3)
        secured.answerMySQLQueries()
    }
}

/// A network between a client and a server on which all bytes arrive one by one.
package final class Chopper: Sendable {
    private let server: FaultyServer

    /// - Parameter target: a port of 127.0.0.1.
    package init(target: UInt16) {
        server = FaultyServer { near in
            let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            defer { Glibc.close(far) }
            var address = loopback(port: target)
            var isConnected = false
            withBytes(of: &address) { isConnected = connect(far, $0, $1) == 0 }
            guard isConnected else { return }
            let there = DirectionOfChopper(from: near.descriptor, to: far)
            let back = DirectionOfChopper(from: far, to: near.descriptor)
            let isOver = DispatchSemaphore(value: 0)
            do {
                try NativeThread.start(name: "chopper") {
                    there.run()
                    isOver.signal()
                }
            } catch {
                return
            }
            back.run()
            isOver.wait()
        }
    }

    package var port: Int { Int(server.port) }
}

/// One direction. When its source ends, so does its destination.
private struct DirectionOfChopper: Sendable {
    let source: Int32
    let destination: Int32

    init(from source: Int32, to destination: Int32) {
        self.source = source
        self.destination = destination
        var isOn: Int32 = 1
        setsockopt(destination, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
    }

    func run() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            for index in 0..<count {
                guard Glibc.send(destination, [buffer[index]], 1, Int32(MSG_NOSIGNAL)) == 1 else {
                    shutdown(source, Int32(SHUT_RD))
                    return
                }
            }
        }
        shutdown(destination, Int32(SHUT_WR))
    }
}

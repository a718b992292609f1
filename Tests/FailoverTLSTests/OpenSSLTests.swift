import FailoverTLS
import Foundation
import Testing

/// The programs of OpenSSL as peers.
@Suite(.serialized) struct OpenSSLTests {
    @Test(arguments: ["-tls1_3", "-tls1_2"])
    func aClientOfOpenSSLIsServed(version: String) async throws {
        let listener = Listener()
        let program = try Running(
            "(echo question; sleep 0.3) | timeout 10 openssl s_client -connect 127.0.0.1:\(listener.port) \(version) "
                + "-alpn postgresql -CAfile ca.pem -verify_return_error -verify_hostname localhost -quiet 2>&1")
        let descriptor = try #require(listener.accepted())
        let channel = try TLSChannel(.server(tickets: TicketKeys()), descriptor: descriptor)
        try complete(channel, descriptor)
        #expect(channel.speaksPostgres)
        #expect(try text(of: channel, descriptor, upTo: "question\n") == "question\n")
        channel.say("answer\n")
        #expect(channel.endSending() == nil)
        #expect(program.output().contains("answer"))
        listener.finish()
    }

    @Test func renegotiationByAClientOfOpenSSLIsRefused() async throws {
        let listener = Listener()
        let program = try Running(
            "(sleep 0.3; echo R; sleep 0.5) | timeout 10 openssl s_client -connect 127.0.0.1:\(listener.port) -tls1_2 2>&1"
        )
        let descriptor = try #require(listener.accepted())
        let channel = try TLSChannel(.server(), descriptor: descriptor)
        try complete(channel, descriptor)
        _ = try text(of: channel, descriptor, upTo: nil)
        #expect(program.output().contains("no renegotiation"))
        listener.finish()
    }

    @Test(arguments: ["-tls1_3", "-tls1_2"])
    func aServerOfOpenSSLIsUnderstood(version: String) async throws {
        let port = Listener().port
        let program = try Running(
            "(sleep 1; echo greeting; sleep 1) | timeout 10 openssl s_server -accept 127.0.0.1:\(port) \(version) "
                + "-cert server.pem -key server.key -alpn postgresql -naccept 1 -quiet 2>&1")
        var descriptor: Int32 = -1
        for _ in 0..<100 where descriptor < 0 {
            try await Task.sleep(for: .milliseconds(20))
            descriptor = Listener.connected(to: port)
        }
        defer { close(descriptor) }
        let channel = try TLSChannel(.client(), descriptor: descriptor)
        try complete(channel, descriptor)
        #expect(channel.speaksPostgres)
        channel.say("hello\n")
        #expect(try text(of: channel, descriptor, upTo: "greeting\n") == "greeting\n")
        #expect(channel.resumption != nil)
        #expect(channel.endSending() == nil)
        #expect(program.output().contains("hello"))
    }

    private func complete(_ channel: TLSChannel, _ descriptor: Int32) throws {
        while let readiness = try channel.handshake() {
            if !channel.mayHaveMore { try wait(descriptor, for: readiness) }
        }
    }

    /// Receives until the text has come, or the end.
    private func text(of channel: TLSChannel, _ descriptor: Int32, upTo end: String?) throws -> String {
        var bytes: [UInt8] = []
        while true {
            let (more, last) = channel.heard()
            bytes += more
            if let end, bytes == Array(end.utf8) { break }
            guard case .wouldBlock(let readiness) = last else { break }
            try wait(descriptor, for: readiness)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func wait(_ descriptor: Int32, for readiness: TLSReadiness) throws {
        var event = pollfd(fd: descriptor, events: Int16(readiness == .readable ? POLLIN : POLLOUT), revents: 0)
        try #require(poll(&event, 1, 60_000) == 1, "no \(readiness) socket within a minute")
    }
}

/// A listening socket on loopback.
private final class Listener: Sendable {
    private let descriptor: Int32
    let port: UInt16

    init() {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length)
                listen(descriptor, 5)
                getsockname(descriptor, $0, &length)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }

    /// Keeps the listener until here.
    func finish() {}

    func accepted() -> Int32? {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 5000) == 1 else { return nil }
        let client = accept(descriptor, nil, nil)
        guard client >= 0 else { return nil }
        _ = fcntl(client, F_SETFL, O_NONBLOCK)
        return client
    }

    static func connected(to port: UInt16) -> Int32 {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = address(port)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(client)
            return -1
        }
        _ = fcntl(client, F_SETFL, O_NONBLOCK)
        return client
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}

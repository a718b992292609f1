import FailoverCore
import FailoverSystem
import FailoverTLS
import Foundation
import Testing

@Suite struct HandshakeTests {
    @Test func agreesOnVersionCipherAndProtocol() throws {
        let pair = try Pair.ready(server: .server(), client: .client())
        #expect(pair.server.version == "TLSv1.3")
        #expect(pair.server.cipher == "TLS_AES_128_GCM_SHA256")
        #expect(pair.server.speaksPostgres && pair.client.speaksPostgres)
        #expect(pair.client.peerCertificate?.subject == "/CN=localhost")
        #expect(pair.server.peerCertificate == nil)
        pair.client.say("hello")
        #expect(pair.server.text() == "hello")
        pair.server.say("goodbye")
        #expect(pair.client.text() == "goodbye")
    }

    @Test func bytesThatWereReceivedBeforeAreUsed() throws {
        let sockets = Sockets()
        let client = try TLSChannel(.client(), descriptor: sockets.far)
        #expect(try client.handshake() == .readable)
        let first = taken(from: sockets.near)
        for cut in [1, 5, 6, first.count - 1, first.count] {
            let server = try TLSChannel(.server(), descriptor: sockets.near, received: Array(first[..<cut]))
            #expect(server.hasMore)
            if cut < first.count {
                #expect(try server.handshake() == .readable)
                first[cut...].withUnsafeBytes { _ = send(sockets.far, $0.baseAddress, $0.count, 0) }
            }
            #expect(try server.handshake() == .readable)
            if cut < first.count {
                _ = taken(from: sockets.far)
                continue
            }
            #expect(try client.handshake() == nil)
            #expect(try server.handshake() == nil)
        }
    }

    @Test func bytesBehindTheHandshakeAreReceived() throws {
        let pair = try Pair(server: .server(), client: .client())
        #expect(try pair.client.handshake() == .readable)
        #expect(try pair.server.handshake() == .readable)
        #expect(try pair.client.handshake() == nil)
        pair.client.say("hello")
        #expect(try pair.server.handshake() == nil)
        #expect(pair.server.mayHaveMore)
        #expect(pair.server.text() == "hello")
        #expect(!pair.server.mayHaveMore)
    }

    @Test(arguments: [TLSVersion.v12, .v13])
    func worksByteByByte(version: TLSVersion) throws {
        let link = Link()
        let server = try TLSChannel(.server(tickets: TicketKeys()), descriptor: link.right.far)
        let client = RawPeer(descriptor: link.left.near, highest: version)
        var (isWaiting, isReady) = (true, client.handshake())
        var moves = 0
        while isWaiting || !isReady {
            let moved = link.move(toRight: true, atMost: 1) || link.move(toRight: false, atMost: 1)
            try #require(moved, "stalled after \(moves) bytes")
            moves += 1
            if isWaiting { isWaiting = try server.handshake() != nil }
            if !isReady { isReady = client.handshake() }
        }
        #expect(server.version == "TLSv\(version.rawValue)")
        // Data and the closure, a byte at a time.
        client.write("hello")
        client.end()
        var heard: [UInt8] = []
        var last = TLSTransfer.paused
        while link.move(toRight: true, atMost: 1) {
            let (bytes, result) = server.heard()
            heard += bytes
            last = result
        }
        #expect(heard == Array("hello".utf8))
        #expect(last == .ended)
    }

    @Test func waitsAtEachCutOfEachFlight() throws {
        let (server, client) = (try TLSContext.server(tickets: TicketKeys()), try TLSContext.client())
        for cut in stride(from: 1, to: 1300, by: 7) {
            let link = Link()
            let near = try TLSChannel(server, descriptor: link.right.far)
            let far = try TLSChannel(client, descriptor: link.left.near)
            var (nearWaits, farWaits): (TLSReadiness?, TLSReadiness?) = (.readable, .readable)
            for _ in 0..<10 where nearWaits != nil || farWaits != nil {
                if farWaits != nil { farWaits = try far.handshake() }
                link.move(toRight: true, atMost: cut)
                if nearWaits != nil { nearWaits = try near.handshake() }
                link.move(toRight: true)
                if nearWaits != nil { nearWaits = try near.handshake() }
                link.move(toRight: false, atMost: cut)
                if farWaits != nil { farWaits = try far.handshake() }
                link.move(toRight: false)
            }
            #expect(nearWaits == nil && farWaits == nil, "cut at \(cut)")
        }
    }

    @Test func aStalledHandshakeOnlyWaits() throws {
        let pair = try Pair(server: .server(), client: .client())
        for _ in 0..<3 { #expect(try pair.server.handshake() == .readable) }
        #expect(try pair.client.handshake() == .readable)
        for _ in 0..<3 { #expect(try pair.server.handshake() == .readable) }
        for _ in 0..<3 { #expect(try pair.client.handshake() == nil) }
    }

    @Test func aHandshakeThatTheSocketDoesNotAcceptWaitsForRoom() throws {
        let sockets = Sockets(room: 1)
        let pair = try Pair(server: .server(), client: .client(), sockets: sockets)
        #expect(try pair.client.handshake() == .readable)
        // Fills the server's way to the client.
        let filler = [UInt8](repeating: 0, count: 4096)
        var filled = 0
        while case let count = send(sockets.near, filler, filler.count, 0), count > 0 { filled += count }
        #expect(try pair.server.handshake() == .writable)
        #expect(try pair.server.handshake() == .writable)
        var rest = filled
        while rest > 0 {
            var buffer = [UInt8](repeating: 0, count: 4096)
            rest -= max(0, recv(sockets.far, &buffer, min(rest, buffer.count), 0))
        }
        try pair.shakeHands()
    }

    @Test func aLostConnectionIsToldAsSuch() throws {
        let sockets = Sockets()
        let server = try TLSChannel(.server(), descriptor: sockets.near)
        shutdown(sockets.far, Int32(SHUT_WR))
        let failure = #expect(throws: TLSFailure.self) { try server.handshake() }
        #expect(failure?.cause == .connection)
        #expect(failure?.message == "the peer closed the connection during the TLS handshake")
    }

    /// Newer versions of OpenSSL need two calls of recv(2) for each record of a handshake. No event comes for what is left
    /// in the socket.
    @Test func aHandshakeTakesAllThatHasArrived() throws {
        let sockets = Sockets()
        let client = try TLSChannel(.client(), descriptor: sockets.far)
        #expect(try client.handshake() == .readable)
        let hello = taken(from: sockets.near)
        // The same message in many records; RFC 8446, 5.1.
        let body = hello.dropFirst(5)
        let pieces = stride(from: body.startIndex, to: body.endIndex, by: 20).map { start in
            let piece = body[start..<min(body.endIndex, start + 20)]
            return [22, 3, 1, 0, UInt8(piece.count)] + piece
        }
        let server = try TLSChannel(.server(), descriptor: sockets.near)
        for piece in pieces { #expect(send(sockets.far, piece, piece.count, 0) == piece.count) }
        #expect(try server.handshake() == .readable)
        #expect(try client.handshake() == nil)
        #expect(try server.handshake() == nil)
    }

    @Test func aPeerThatDoesNotSpeakTLSIsToldAsSuch() throws {
        for bytes in ["GET / HTTP/1.0\r\n\r\n", "\0\0\0\u{8}\u{4}\u{d2}\u{16}\u{2f}", "xxxxxxxxxxxxxxxxxxxxx"] {
            let sockets = Sockets()
            let server = try TLSChannel(.server(), descriptor: sockets.near)
            _ = send(sockets.far, bytes, bytes.utf8.count, 0)
            let failure = #expect(throws: TLSFailure.self) { try server.handshake() }
            #expect(failure?.cause == .peer)
            #expect(server.failure == failure)
            #expect(server.endSending() == nil)
        }
    }
}

import COpenSSL
import FailoverTLS
import Foundation
import Testing

@Suite final class TransferTests {
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)

    deinit { buffer.deallocate() }

    @Test(arguments: [true, false])
    func eachDirectionEndsByItself(serverEndsFirst: Bool) throws {
        let pair = try Pair.ready()
        let (first, second) = serverEndsFirst ? (pair.server, pair.client) : (pair.client, pair.server)
        first.say("last words")
        #expect(first.endSending() == nil)
        let (bytes, last) = second.heard()
        #expect(String(decoding: bytes, as: UTF8.self) == "last words")
        #expect(last == .ended)
        #expect(second.heard().last == .ended)
        for text in ["still", "here"] {
            second.say(text)
            #expect(first.text() == text)
        }
        #expect(second.endSending() == nil)
        #expect(first.heard().last == .ended)
        #expect(second.endSending() == nil)
    }

    @Test func anEndWithoutClosureIsTruncated() throws {
        let pair = try Pair.ready()
        pair.client.say("half")
        shutdown(pair.sockets.far, Int32(SHUT_WR))
        let (bytes, last) = pair.server.heard()
        #expect(bytes == Array("half".utf8))
        #expect(last == .truncated)
        #expect(pair.server.heard().last == .truncated)
        // The other direction still works.
        pair.server.say("answer")
        #expect(pair.client.text() == "answer")
        #expect(pair.server.endSending() == nil)
        #expect(pair.client.heard().last == .ended)
    }

    @Test func anEndWithinARecordIsTruncated() throws {
        let link = Link()
        let server = try TLSChannel(.server(), descriptor: link.right.far)
        let client = try TLSChannel(.client(), descriptor: link.left.near)
        try shakeHands(server, client, link)
        client.say("hello")
        link.move(toRight: true, atMost: 10)
        shutdown(link.right.near, Int32(SHUT_WR))
        #expect(server.heard().last == .truncated)
    }

    @Test func aResetIsAFailure() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length)
                listen(listener, 1)
                getsockname(listener, $0, &length)
                connect(far, $0, length)
            }
        }
        let near = accept(listener, nil, nil)
        defer { close(near) }
        for end in [near, far] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        let server = try TLSChannel(.server(), descriptor: near)
        let client = try TLSChannel(.client(), descriptor: far)
        var (serverWaits, clientWaits) = (true, true)
        while serverWaits || clientWaits {
            if clientWaits { clientWaits = try client.handshake() != nil }
            if serverWaits { serverWaits = try server.handshake() != nil }
        }
        server.say("unread")
        close(far)
        #expect(server.heard().last == .failed(ECONNRESET))
        #expect(server.failure?.cause == .connection)
    }

    @Test func sendingToAPeerThatIsGoneFails() throws {
        for size in [10, 50_000, 1_000_000] {
            let pair = try Pair.ready()
            shutdown(pair.sockets.far, Int32(SHUT_RDWR))
            let bytes = [UInt8](repeating: 1, count: size)
            #expect(pair.server.say(bytes[...]) == .failed(EPIPE))
            #expect(pair.server.failure == TLSFailure(.connection, "Broken pipe"))
            #expect(ERR_peek_error() == 0)
            #expect(pair.server.endSending() == nil)
            #expect(pair.server.heard().last == .truncated)
        }
    }

    @Test func aPeerThatDoesNotReadStopsTheSender() throws {
        let pair = try Pair.ready(sockets: Sockets(room: 4096))
        var random = Random(1)
        let all = random.bytes(300_000)
        var (sent, heard, blocked): (Int, [UInt8], Int) = (0, [], 0)
        while heard.count < all.count {
            if sent < all.count {
                // A repeated call may offer more bytes, at another address.
                switch pair.server.say(Array(all[sent..<min(all.count, sent + 40_000 + blocked)])[...]) {
                case .bytes(let count): sent += count
                case .wouldBlock(until: .writable): blocked += 1
                case let other: Issue.record("\(other)")
                }
            }
            if blocked % 3 != 0 || sent == all.count || blocked > 5 { heard += pair.client.heard(atMost: 1000).bytes }
            if blocked % 3 == 0 { blocked += 1 }
        }
        #expect(heard == all)
        #expect(blocked > 0)
    }

    @Test func theClosureWaitsForRoomToo() throws {
        let pair = try Pair.ready(sockets: Sockets(room: 4096))
        let filler = [UInt8](repeating: 1, count: 100)
        var count = 0
        while case .bytes = pair.server.say(filler[...]) { count += 1 }
        // What the failed call began must be completed first.
        #expect(pair.client.heard().bytes.count == count * 100)
        #expect(pair.server.say(filler[...]) == .bytes(100))
        while case let sent = send(pair.sockets.near, filler, 1, 0), sent > 0 {}
        #expect(pair.server.endSending() == .writable)
        #expect(pair.server.endSending() == .writable)
        _ = taken(from: pair.sockets.far)
        #expect(pair.server.endSending() == nil)
    }

    @Test func bothDirectionsAreBusyAtOnce() throws {
        var random = Random(7)
        for seed in 0..<6 {
            let link = Link()
            let server = try TLSChannel(.server(tickets: TicketKeys()), descriptor: link.right.far)
            let client = try TLSChannel(.client(), descriptor: link.left.near)
            try shakeHands(server, client, link)
            let down = random.bytes(400_000 + seed)
            let up = random.bytes(300_000)
            var (toClient, toServer) = (Progress(down), Progress(up))
            var rounds = 0
            while !toClient.isDone || !toServer.isDone {
                rounds += 1
                try #require(rounds < 2_000_000)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: toClient.send(by: server, &random)
                case 1: toServer.send(by: client, &random)
                case 2: toClient.receive(by: client, &random)
                case 3: toServer.receive(by: server, &random)
                case 4: link.move(toRight: true, atMost: Int.random(in: 1..<60_000, using: &random))
                default: link.move(toRight: false, atMost: Int.random(in: 1..<60_000, using: &random))
                }
            }
            #expect(toClient.heard == down)
            #expect(toServer.heard == up)
        }
    }

    @Test func anUpdateOfKeysIsFollowed() throws {
        let sockets = Sockets()
        let server = try TLSChannel(.server(), descriptor: sockets.near)
        let client = RawPeer(descriptor: sockets.far)
        client.shakeHands(with: server)
        for kind in [SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED, SSL_KEY_UPDATE_REQUESTED] {
            client.updateKeys(kind)
            #expect(server.heard().last == .wouldBlock(until: .readable))
            client.write("ping")
            #expect(server.text() == "ping")
            server.say("pong")
            #expect(client.read() == "pong")
        }
    }

    @Test func aFloodOfRecordsWithoutDataLeavesOthersTheirTurn() throws {
        let (link, flood) = (Link(), 4000)
        let server = try TLSChannel(.server(), descriptor: link.right.far)
        let client = RawPeer(descriptor: link.left.near)
        client.handshake()
        link.move(toRight: true)
        #expect(try server.handshake() == .readable)
        link.move(toRight: false)
        #expect(client.handshake())
        link.move(toRight: true)
        #expect(try server.handshake() == nil)
        var bytes: [UInt8] = []
        for _ in 0..<flood {
            client.updateKeys(SSL_KEY_UPDATE_NOT_REQUESTED)
            bytes += taken(from: link.left.far)
        }
        client.write("at last")
        bytes += taken(from: link.left.far)
        #expect(send(link.right.near, bytes, bytes.count, 0) == bytes.count)
        var (pauses, longest) = (0, Duration.zero)
        while true {
            let start = ContinuousClock.now
            let result = server.receive(into: buffer)
            longest = max(longest, .now - start)
            guard result == .paused else {
                #expect(result == .bytes(7))
                break
            }
            pauses += 1
        }
        #expect((2...20).contains(pauses))
        print("longest turn of a flood: \(longest)")
    }

    @Test func shortReadsDoNotLoseWhatOpenSSLHolds() throws {
        let pair = try Pair.ready()
        for _ in 0..<20 { pair.client.say("0123456789") }
        let small = UnsafeMutableRawBufferPointer(rebasing: buffer[..<15])
        var heard = ""
        while case .bytes(let count) = pair.server.receive(into: small) {
            heard += String(decoding: small[..<count], as: UTF8.self)
            #expect(pair.server.mayHaveMore == (heard.count < 200) || heard.count == 195)
        }
        #expect(heard == String(repeating: "0123456789", count: 20))
        #expect(!pair.server.hasMore)
        pair.client.say("x")
        #expect(pair.server.hasMore)
    }

    @Test func oneSmallMessageNeedsOneSystemCall() throws {
        let pair = try Pair.ready()
        pair.client.say("request")
        #expect(pair.server.receive(into: buffer) == .bytes(7))
        #expect(!pair.server.mayHaveMore)
    }
}

/// Bytes on their way in one direction, and what has arrived.
private struct Progress {
    private let all: [UInt8]
    private var sent = 0
    private(set) var heard: [UInt8] = []

    init(_ all: [UInt8]) { self.all = all }

    var isDone: Bool { heard.count == all.count }

    mutating func send(by channel: TLSChannel, _ random: inout Random) {
        guard sent < all.count else { return }
        // A call that is repeated offers at least as many bytes.
        let size = Int.random(in: 1...50_000, using: &random)
        let end = min(all.count, max(sent + size, offered))
        switch channel.say(all[sent..<end]) {
        case .bytes(let count):
            sent += count
            offered = count == 0 ? end : 0
            if count < size { offered = end }
        case .wouldBlock(until: .writable): offered = end
        case let other: Issue.record("\(other)")
        }
    }

    private var offered = 0

    mutating func receive(by channel: TLSChannel, _ random: inout Random) {
        let size = Int.random(in: 1...70_000, using: &random)
        withUnsafeTemporaryAllocation(byteCount: size, alignment: 16) { buffer in
            switch channel.receive(into: buffer) {
            case .bytes(let count): heard += buffer[..<count]
            case .wouldBlock(until: .readable), .paused: break
            case let other: Issue.record("\(other)")
            }
        }
    }
}

/// Completes a handshake over a link.
func shakeHands(_ server: TLSChannel, _ client: TLSChannel, _ link: Link) throws {
    var (serverWaits, clientWaits): (TLSReadiness?, TLSReadiness?) = (.readable, .readable)
    for _ in 0..<10 where serverWaits != nil || clientWaits != nil {
        if clientWaits != nil { clientWaits = try client.handshake() }
        link.move(toRight: true)
        if serverWaits != nil { serverWaits = try server.handshake() }
        link.move(toRight: false)
    }
    #expect(serverWaits == nil && clientWaits == nil)
}

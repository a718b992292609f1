import COpenSSL
import FailoverTLS
import Foundation
import Testing

/// Bytes that no honest peer sends. Nothing may crash, block, or pass on a byte that was changed.
@Suite struct HostileTests {
    /// What happens to a stream at one place.
    private enum Damage: CaseIterable {
        case flip, drop, double, insert, cut, garbage, length
    }

    @Test(arguments: 0..<8)
    func aDamagedStreamEndsTheSession(seed: UInt64) throws {
        var random = Random(seed)
        let server = try TLSContext.server(clientAuthorities: seed % 2 == 0 ? nil : "ca.pem", tickets: TicketKeys())
        let client = try TLSContext.client(identity: seed % 2 == 0 ? nil : "client")
        let rounds = Int(ProcessInfo.processInfo.environment["HOSTILE_ROUNDS"] ?? "") ?? 60
        for _ in 0..<rounds {
            var session = try Damaged(server, client)
            let toServer = Bool.random(using: &random)
            let damage = Damage.allCases.randomElement(using: &random) ?? .flip
            // Most of them in the handshake.
            let place = Int.random(in: 0..<(Bool.random(using: &random) ? 400 : 4000), using: &random)
            session.run { bytes, offset, isToServer in
                guard isToServer == toServer, (offset..<offset + bytes.count).contains(place) else { return bytes }
                return Self.damaged(bytes, at: place - offset, damage, &random)
            }
            // Transfers do not clear the thread's errors first, so none may be left.
            #expect(ERR_peek_error() == 0)
            #expect(session.sentByClient.starts(with: session.heardByServer))
            #expect(session.sentByServer.starts(with: session.heardByClient))
        }
    }

    @Test(arguments: 0..<4)
    func anyFirstBytesAreOnlyRefused(seed: UInt64) throws {
        var random = Random(seed &+ 100)
        let context = try TLSContext.server(tickets: TicketKeys())
        let sockets = Sockets()
        let client = try TLSChannel(.client(), descriptor: sockets.far)
        _ = try client.handshake()
        let hello = taken(from: sockets.near)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 15, alignment: 16)
        defer { buffer.deallocate() }
        let rounds = (Int(ProcessInfo.processInfo.environment["HOSTILE_ROUNDS"] ?? "") ?? 60) * 5
        for _ in 0..<rounds {
            var bytes =
                Int.random(in: 0..<10, using: &random) == 0
                ? random.bytes(Int.random(in: 1..<3000, using: &random)) : hello
            for _ in 0..<Int.random(in: 1..<6, using: &random) {
                bytes = Self.damaged(
                    bytes, at: Int.random(in: 0..<max(1, bytes.count), using: &random),
                    Damage.allCases.randomElement(using: &random) ?? .flip, &random)
            }
            let ends = Sockets()
            let channel = try TLSChannel(context, descriptor: ends.near, received: bytes)
            for _ in 0..<3 { _ = try? channel.handshake() }
            if channel.failure != nil {
                // A session that has failed stays so.
                guard case .failed = channel.receive(into: buffer) else {
                    Issue.record("a failed session receives")
                    continue
                }
                #expect(channel.say("x") == .failed(EPROTO))
            }
            #expect(channel.endSending() == nil)
            _ = channel.hasMore
            #expect(ERR_peek_error() == 0)
        }
    }

    private static func damaged(_ bytes: [UInt8], at place: Int, _ damage: Damage, _ random: inout Random) -> [UInt8] {
        guard place < bytes.count else { return bytes }
        var bytes = bytes
        let size = Int.random(in: 1..<64, using: &random)
        let end = min(bytes.count, place + size)
        switch damage {
        case .flip: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case .drop: bytes.removeSubrange(place..<end)
        case .double: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case .insert: bytes.insert(contentsOf: random.bytes(size), at: place)
        case .cut: bytes.removeSubrange(place...)
        case .garbage: bytes.replaceSubrange(place..<end, with: random.bytes(end - place))
        case .length:
            // The length of a record, or of a message in one.
            let at = [3, 4, 6, 7, 8].randomElement(using: &random) ?? 3
            if at < bytes.count { bytes[at] = UInt8.random(in: 0...255, using: &random) }
        }
        return bytes
    }
}

/// A session over a wire that changes bytes.
private struct Damaged {
    private let link = Link()
    private let server: TLSChannel
    private let client: TLSChannel
    private(set) var heardByServer: [UInt8] = []
    private(set) var heardByClient: [UInt8] = []
    let sentByClient: [UInt8]
    let sentByServer: [UInt8]
    private var (toServer, toClient) = (0, 0)

    init(_ server: TLSContext, _ client: TLSContext) throws {
        self.server = try TLSChannel(server, descriptor: link.right.far)
        self.client = try TLSChannel(client, descriptor: link.left.near)
        sentByClient = [UInt8](repeating: 1, count: 2000)
        sentByServer = [UInt8](repeating: 2, count: 3000)
    }

    mutating func run(_ wire: ([UInt8], _ offset: Int, _ isToServer: Bool) -> [UInt8]) {
        var (serverIsReady, clientIsReady, serverHasFailed, clientHasFailed) = (false, false, false, false)
        for _ in 0..<14 {
            if !clientHasFailed {
                do {
                    if !clientIsReady, try client.handshake() == nil {
                        clientIsReady = true
                        for start in stride(from: 0, to: 2000, by: 500) {
                            _ = client.say(sentByClient[start..<start + 500])
                        }
                    }
                    if clientIsReady { heardByClient += client.heard().bytes }
                } catch { clientHasFailed = true }
            }
            let up = taken(from: link.left.far)
            let changedUp = wire(up, toServer, true)
            toServer += up.count
            _ = send(link.right.near, changedUp, changedUp.count, Int32(MSG_NOSIGNAL))
            if !serverHasFailed {
                do {
                    if !serverIsReady, try server.handshake() == nil {
                        serverIsReady = true
                        for start in stride(from: 0, to: 3000, by: 500) {
                            _ = server.say(sentByServer[start..<start + 500])
                        }
                    }
                    if serverIsReady { heardByServer += server.heard().bytes }
                } catch { serverHasFailed = true }
            }
            let down = taken(from: link.right.near)
            let changedDown = wire(down, toClient, false)
            toClient += down.count
            _ = send(link.left.far, changedDown, changedDown.count, Int32(MSG_NOSIGNAL))
        }
        _ = server.endSending()
        _ = client.endSending()
    }
}

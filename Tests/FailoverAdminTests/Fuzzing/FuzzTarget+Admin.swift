import FailoverCore
import FailoverTesting
import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import FailoverAdmin

extension FuzzTarget {
    static let ofAdmin = [adminRequest, serverSentEvents, adminAnswer]

    /// Requests of clients of the admin plane, as SwiftNIO parses them.
    static let adminRequest = FuzzTarget("admin-request") { input in
        let flags = input.byte()
        let access = AccessPolicy(token: flags & 1 == 0 ? nil : Secret("token"))
        let backend = FakeBackend()
        let router = AdminRouter(backend: backend, stream: EventStream(backend), access: access)
        for request in requests(in: input.pieces(), isThroughUnixSocket: flags & 2 != 0) {
            guard let response = CallingThread.run({ await router.respond(request) }) else { return "no answer" }
            guard (200..<600).contains(response.status.code) else { return "status \(response.status)" }
            if response.status == .internalServerError { return "an error of the server itself" }
        }
        return nil
    }

    private static func requests(in pieces: [[UInt8]], isThroughUnixSocket: Bool) -> [AdminRequest] {
        let channel = EmbeddedChannel(
            handler: ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        var requests: [AdminRequest] = []
        var (head, body): (HTTPRequestHead?, [UInt8]) = (nil, [])
        for piece in pieces {
            guard (try? channel.writeInbound(ByteBuffer(bytes: piece))) != nil else { break }
            while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
                switch part {
                case .head(let next): (head, body) = (next, [])
                case .body(let bytes): body += bytes.readableBytesView
                case .end:
                    guard let head else { continue }
                    requests.append(AdminRequest(head, body: body, isThroughUnixSocket: isThroughUnixSocket))
                }
            }
        }
        return requests
    }

    /// The event stream of another process, as received.
    static let serverSentEvents = FuzzTarget("server-sent-events") { input in
        let pieces = input.pieces()
        var (inPieces, whole) = (ServerSentEvents(), ServerSentEvents())
        let events = pieces.flatMap { inPieces.add($0) }.map { "\($0.name) \($0.data)" }
        guard events == whole.add(pieces.joined()).map({ "\($0.name) \($0.data)" }) else {
            return "the events depend on how they arrive"
        }
        return nil
    }

    /// The responses of another process.
    static let adminAnswer = FuzzTarget("admin-answer") { input in
        let answer = String(decoding: input.remaining(), as: UTF8.self)
        var reader = NewsReader()
        // A status is also parsed as a change.
        for name in ["status", "change", "event"] {
            switch reader.news(name: name, data: answer) {
            case .status(let status):
                guard AdminJSON.decode(StatusDocument.self, from: JSONWriter.bytes(status)) == status else {
                    return "the written status differs: \(JSONWriter.text(status))"
                }
            case .event(let event): _ = JSONWriter.text(event)
            case nil: break
            }
        }
        if let session = AdminJSON.decode(SessionDocument.self, from: Array(answer.utf8)) {
            _ = JSONWriter.text(session)
        }
        return nil
    }
}

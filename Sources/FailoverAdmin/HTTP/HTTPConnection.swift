import NIOCore
import NIOHTTP1

/// One client's connection: requests are read to their end and answered one after the other.
struct HTTPConnection: Sendable {
    typealias Channel = NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>

    let channel: Channel
    let isThroughUnixSocket: Bool
    let admitted: AdmittedClients
    let respond: @Sendable (AdminRequest) async -> AdminResponse

    /// Serves until either side ends.
    func serve() async throws {
        try await channel.executeThenClose { inbound, outbound in
            var iterator = inbound.makeAsyncIterator()
            while case .head(let head) = try await iterator.next() {
                var body: [UInt8] = []
                var isTooLong = false
                reading: while let part = try await iterator.next() {
                    switch part {
                    case .body(let piece):
                        isTooLong = isTooLong || body.count + piece.readableBytes > AdminRequest.largestBody
                        if !isTooLong { body += piece.readableBytesView }
                    case .end: break reading
                    case .head: return
                    }
                    // Nobody sends that much by mistake.
                    if isTooLong { break }
                }
                let request = AdminRequest(head, body: body, isThroughUnixSocket: isThroughUnixSocket)
                admitted.asked(channel.channel)
                let response = isTooLong ? .error(.payloadTooLarge, "the body is too long") : await respond(request)
                let goesOn = head.isKeepAlive && !isTooLong
                guard try await send(response, to: head, keepsAlive: goesOn, outbound), goesOn else { return }
                admitted.answered(channel.channel, isTrusted: response.status == .ok && !request.isPublic)
            }
        }
    }

    /// - Returns: Whether the connection can go on.
    private func send(
        _ response: AdminResponse, to request: HTTPRequestHead, keepsAlive: Bool,
        _ outbound: NIOAsyncChannelOutboundWriter<HTTPPart<HTTPResponseHead, ByteBuffer>>
    ) async throws -> Bool {
        var headers = HTTPHeaders([("Content-Type", response.contentType), ("Cache-Control", "no-store")])
        headers.add(contentsOf: response.headers)
        switch response.body {
        case .bytes(let bytes):
            headers.add(name: "Content-Length", value: "\(bytes.count)")
            if !keepsAlive { headers.add(name: "Connection", value: "close") }
            var parts: [HTTPPart<HTTPResponseHead, ByteBuffer>] = [
                .head(.init(version: .http1_1, status: response.status, headers: headers))
            ]
            if request.method != .HEAD { parts.append(.body(ByteBuffer(bytes: bytes))) }
            parts.append(.end(nil))
            // All at once: each write goes to the event loop, and to the kernel, by itself.
            try await outbound.write(contentsOf: parts)
            return true
        case .stream(let pieces):
            headers.add(name: "Connection", value: "close")
            try await outbound.write(.head(.init(version: .http1_1, status: response.status, headers: headers)))
            guard request.method != .HEAD else { return false }
            for await piece in pieces { try await outbound.write(.body(ByteBuffer(string: piece))) }
            return false
        }
    }
}

/// Closes a connection on which nothing has been written for a while: a client that sends its request byte by byte, that
/// does not read, or that has gone. Streams write more often than that.
final class IdleCloser: ChannelInboundHandler {
    typealias InboundIn = Any

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}

/// Keeps the streams of a connection until that is closed.
///
/// NIO ends the process when the streams of a connection are released before anybody has taken them (`NIOAsyncWriter`: "Deinited
/// without calling finish()"). That happens to a client that connects while an admin plane closes: the listener accepts
/// connections until the last answer is sent, but nothing reads the list of accepted ones any more.
final class StreamKeeper: ChannelInboundHandler {
    typealias InboundIn = Any

    private var streams: HTTPConnection.Channel?

    /// - Parameter streams: of the connection in whose pipeline this is the last.
    init(_ streams: HTTPConnection.Channel) { self.streams = streams }

    /// They have been ended by the handlers before this.
    func channelInactive(context: ChannelHandlerContext) {
        context.fireChannelInactive()
        streams = nil
    }

    func handlerRemoved(context: ChannelHandlerContext) { streams = nil }
}

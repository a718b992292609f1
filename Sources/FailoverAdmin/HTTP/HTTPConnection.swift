import NIOCore
import NIOHTTP1

/// The connection of one client. Requests are read completely and answered one after the other.
struct HTTPConnection: Sendable {
    typealias Channel = NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>

    let channel: Channel
    let isThroughUnixSocket: Bool
    let admitted: AdmittedClients
    let respond: @Sendable (AdminRequest) async -> AdminResponse

    /// Serves until either side closes the connection.
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
                    // The rest of the body is not read. The connection is closed after the response.
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

    /// - Returns: whether the connection can stay open.
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
            // One write for everything, because each write is a separate call to the event loop and the kernel.
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

/// Closes a connection on which nothing has been written for some time: the client sends its request byte by byte, does
/// not read, or has disconnected. Event streams write more often.
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

/// Keeps the streams of a connection until it is closed.
///
/// NIO aborts the process if the streams of a connection are released before they are used (`NIOAsyncWriter`:
/// "Deinited without calling finish()"). This happens to a client that connects while an admin plane closes: the
/// listener accepts connections until the last response is sent, but the list of accepted connections is no longer
/// read.
final class StreamKeeper: ChannelInboundHandler {
    typealias InboundIn = Any

    private var streams: HTTPConnection.Channel?

    /// - Parameter streams: the streams of the connection in whose pipeline this handler is the last.
    init(_ streams: HTTPConnection.Channel) { self.streams = streams }

    /// The handlers before this one have ended the streams by now.
    func channelInactive(context: ChannelHandlerContext) {
        context.fireChannelInactive()
        streams = nil
    }

    func handlerRemoved(context: ChannelHandlerContext) { streams = nil }
}

/// Converts response parts with byte buffers, which can be passed between tasks, into the parts that NIO's encoder
/// takes. Those can also contain files.
final class ResponsePartHandler: ChannelOutboundHandler {
    typealias OutboundIn = HTTPPart<HTTPResponseHead, ByteBuffer>
    typealias OutboundOut = HTTPServerResponsePart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: HTTPServerResponsePart =
            switch unwrapOutboundIn(data) {
            case .head(let head): .head(head)
            case .body(let bytes): .body(.byteBuffer(bytes))
            case .end(let trailers): .end(trailers)
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}

/// Closes a connection that has not sent the complete head of its first request within the limit.
final class FirstRequestDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private let limit: TimeAmount
    private var closing: Scheduled<Void>?

    init(_ limit: TimeAmount) { self.limit = limit }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        closing = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { closing?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        closing?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        closing?.cancel()
        closing = nil
        context.fireChannelRead(data)
    }
}

/// Runs tasks on an event loop. Awaiting its channels then needs no thread switch.
final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

import NIOCore

/// Keeps the streams of a connection until that is closed.
///
/// NIO ends the process when nobody takes over the streams of a connection that it has accepted, and lets go of them
/// (`NIOAsyncWriter`: "Deinited without calling finish()"). So it is with clients that come when the listener's own stream has
/// ended and the listener has not: while the last answers of an admin plane that closes are on their way.
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

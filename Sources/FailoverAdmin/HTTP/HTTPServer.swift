import FailoverCore
import FailoverSystem
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// An HTTP/1.1 server with small limits: 64 connections, 16 KiB of headers, 64 KiB of body, half a minute of idleness.
struct HTTPServer: Sendable {
    typealias Listening = NIOAsyncChannel<HTTPConnection.Channel, Never>

    private static let mostConnections = 64

    let listening: [(channel: Listening, listener: Endpoint)]
    private let group: MultiThreadedEventLoopGroup

    /// Opens the listeners.
    ///
    /// - Parameter idleTime: after which a connection is closed on which nothing was written.
    /// - Throws: ``AdminListenError`` for the one that cannot be opened; nothing stays open then.
    init(_ listeners: [Endpoint], idleTime: Duration) async throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var opened: [(Listening, Endpoint)] = []
        do {
            for listener in listeners { opened.append((try await Self.open(listener, group, idleTime), listener)) }
        } catch {
            await Self.close(opened)
            // Whoever lets go of a channel needs its loop.
            opened = []
            try? await group.shutdownGracefully()
            throw error
        }
        listening = opened
    }

    /// Closes the listeners of a server that is not to run.
    func close() async { await Self.close(listening) }

    /// Where it listens, with the ports that the system chose: `127.0.0.1:8404`, `unix:/run/failover.sock`.
    var addresses: [String] {
        listening.map { channel, listener in
            guard case .tcp(let host, 0) = listener, let port = channel.channel.localAddress?.port else {
                return "\(listener)"
            }
            return "\(Endpoint.tcp(host: host, port: UInt16(port)))"
        }
    }

    /// Serves until the task is cancelled.
    func run(_ respond: @escaping @Sendable (AdminRequest) async -> AdminResponse) async {
        let places = Places(limit: Self.mostConnections)
        await withTaskGroup { servers in
            for (channel, listener) in listening {
                servers.addTask {
                    await serve(channel, isUnix: listener.isUnix, places, respond)
                    if case .unix(let path) = listener { unlink(path) }
                }
            }
        }
        try? await group.shutdownGracefully()
    }

    private static func close(_ listening: [(channel: Listening, listener: Endpoint)]) async {
        for (channel, listener) in listening {
            try? await channel.executeThenClose { _ in }
            if case .unix(let path) = listener { unlink(path) }
        }
    }

    private func serve(
        _ channel: Listening, isUnix: Bool, _ places: Places,
        _ respond: @escaping @Sendable (AdminRequest) async -> AdminResponse
    ) async {
        try? await channel.executeThenClose { clients in
            try await withThrowingDiscardingTaskGroup { group in
                for try await client in clients {
                    let isWithinLimit = places.take()
                    group.addTask {
                        // A channel must be opened to be closed.
                        guard isWithinLimit else {
                            try? await client.executeThenClose { _, _ in }
                            return
                        }
                        // What goes wrong on one connection ends it, and nothing else.
                        try? await HTTPConnection(channel: client, isThroughUnixSocket: isUnix, respond: respond)
                            .serve()
                        places.leave()
                    }
                }
            }
        }
    }

    private static func open(_ listener: Endpoint, _ group: MultiThreadedEventLoopGroup, _ idleTime: Duration)
        async throws -> Listening
    {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 64)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
        switch listener {
        case .tcp(let host, let port):
            do {
                return try await bootstrap.bind(
                    host: host, port: Int(port), childChannelInitializer: configuration(idleTime))
            } catch {
                let words = (error as? IOError).map { SystemError($0.errnoCode).words } ?? "\(error)"
                throw AdminListenError(listener, words)
            }
        case .unix(let path):
            return try await bootstrap.bind(
                try UnixListener.open(path), childChannelInitializer: configuration(idleTime))
        }
    }

    private static func configuration(
        _ idleTime: Duration
    ) -> @Sendable (any Channel) -> EventLoopFuture<HTTPConnection.Channel> {
        { channel in
            channel.eventLoop.makeCompletedFuture {
                var limits = NIOHTTPDecoderLimitConfiguration()
                limits.maxHeaderFieldSize = 8 << 10
                limits.maxHeaderListSize = 16 << 10
                limits.maxHeaderFieldCount = 100
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(IdleStateHandler(writeTimeout: TimeAmount(idleTime)))
                try pipeline.addHandler(IdleCloser())
                try pipeline.configureHTTPServerPipeline(
                    withPipeliningAssistance: false, withEncoderConfiguration: .init(),
                    withDecoderLimitConfiguration: limits)
                try pipeline.addHandler(ResponsePartHandler())
                return try HTTPConnection.Channel(wrappingChannelSynchronously: channel)
            }
        }
    }
}

extension Endpoint {
    fileprivate var isUnix: Bool { if case .unix = self { true } else { false } }
}

/// The admin plane cannot listen.
package struct AdminListenError: Error, CustomStringConvertible {
    let listener: Endpoint
    let words: String

    init(_ listener: Endpoint, _ words: String) {
        self.listener = listener
        self.words = words
    }

    package var description: String { "cannot listen on \(listener) for administration: \(words)" }
}

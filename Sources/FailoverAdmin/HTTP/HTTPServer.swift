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
    /// - Throws: an error that names the one that cannot be opened; nothing stays open then.
    ///
    /// - Parameter idleTime: after which a connection is closed on which nothing was written.
    init(_ listeners: [Endpoint], idleTime: Duration) async throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var opened: [(Listening, Endpoint)] = []
        do {
            for listener in listeners { opened.append((try await Self.open(listener, group, idleTime), listener)) }
        } catch {
            for (channel, _) in opened { try? await channel.channel.close() }
            try? await group.shutdownGracefully()
            throw error
        }
        listening = opened
    }

    /// Where it listens, with the ports that the system chose: `127.0.0.1:8404`, `unix:/run/failover.sock`.
    var addresses: [String] {
        listening.map { channel, listener in
            switch listener {
            case .unix(let path): "unix:\(path)"
            case .tcp(let host, let port):
                "\(host.contains(":") ? "[\(host)]" : host):\(channel.channel.localAddress?.port ?? Int(port))"
            }
        }
    }

    /// Serves until the task is cancelled.
    func run(_ respond: @escaping @Sendable (AdminRequest) async -> AdminResponse) async {
        let limit = ConnectionLimit(Self.mostConnections)
        await withTaskGroup { servers in
            for (channel, listener) in listening {
                servers.addTask {
                    await serve(channel, isUnix: listener.isUnix, limit, respond)
                    if case .unix(let path) = listener { unlink(path) }
                }
            }
        }
        try? await group.shutdownGracefully()
    }

    private func serve(
        _ channel: Listening, isUnix: Bool, _ limit: ConnectionLimit,
        _ respond: @escaping @Sendable (AdminRequest) async -> AdminResponse
    ) async {
        try? await channel.executeThenClose { clients in
            try await withThrowingDiscardingTaskGroup { group in
                for try await client in clients {
                    let isWithinLimit = limit.take()
                    group.addTask {
                        // A channel must be opened to be closed.
                        guard isWithinLimit else {
                            try? await client.executeThenClose { _, _ in }
                            return
                        }
                        // What goes wrong on one connection ends it, and nothing else.
                        try? await HTTPConnection(channel: client, isThroughUnixSocket: isUnix, respond: respond)
                            .serve()
                        limit.leave()
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
                throw AdminListenError(words: "cannot listen on \(host):\(port) for administration: \(error)")
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
    let words: String
    package var description: String { words }
}

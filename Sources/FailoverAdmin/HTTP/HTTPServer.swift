import FailoverCore
import FailoverSystem
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// An HTTP/1.1 server at one listener, with small limits: 64 connections and 8 more for probes, 5 s for the first request's
/// head, 16 KiB of headers, 64 KiB of body, half a minute of idleness.
struct HTTPServer: Sendable {
    typealias Listening = NIOAsyncChannel<HTTPConnection.Channel, Never>

    private static let mostConnections = 64
    /// What is left for probes of the health of this process when those are taken.
    private static let reservedConnections = 8
    /// What the kernel keeps for a client that does not read, in bytes; by itself it would let that grow to megabytes.
    private static let sendBuffer: SocketOptionValue = 64 << 10

    private let listening: Listening
    private let listener: Endpoint
    private let group: MultiThreadedEventLoopGroup

    /// Opens the listener.
    ///
    /// - Parameters:
    ///   - idleTime: after which a connection is closed on which nothing was written.
    ///   - firstRequestLimit: how long a client may take for the head of its first request.
    /// - Throws: ``AdminListenError`` when it cannot be opened.
    init(_ listener: Endpoint, idleTime: Duration, firstRequestLimit: Duration) async throws {
        self.listener = listener
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            listening = try await Self.open(listener, group, Self.configuration(idleTime, firstRequestLimit))
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    /// Closes the listener of a server that is not to run.
    func close() async {
        // The stream must end before its event loop does, and ends only if somebody has begun to read it.
        try? await listening.executeThenClose { _ = $0.makeAsyncIterator() }
        await end()
    }

    /// Where it listens, with the port that the system chose: `127.0.0.1:8404`, `unix:/run/failover.sock`.
    var address: String {
        guard case .tcp(let host, 0) = listener, let port = listening.channel.localAddress?.port else {
            return "\(listener)"
        }
        return "\(Endpoint.tcp(host: host, port: UInt16(port)))"
    }

    /// Serves until the task is cancelled. Everything runs on the listener's event loop, but for what `respond` starts
    /// elsewhere.
    func run(_ respond: @escaping @Sendable (AdminRequest) async -> AdminResponse) async {
        let executor = EventLoopExecutor(listening.channel.eventLoop)
        await withTaskExecutorPreference(executor) { await serve(respond) }
        // Not on the loop, which ends with this.
        await end()
    }

    private func serve(_ respond: @escaping @Sendable (AdminRequest) async -> AdminResponse) async {
        let admitted = AdmittedClients(most: Self.mostConnections, reserve: Self.reservedConnections)
        try? await listening.executeThenClose { clients in
            try await withThrowingDiscardingTaskGroup { group in
                for try await client in clients {
                    let isReserve = admitted.admit(client.channel)
                    group.addTask {
                        // A channel must be opened to be closed.
                        guard let isReserve else {
                            try? await client.executeThenClose { _, _ in }
                            return
                        }
                        // What goes wrong on one connection ends it, and nothing else.
                        try? await HTTPConnection(
                            channel: client, isThroughUnixSocket: listener.isUnix, admitted: admitted
                        ) { request in
                            isReserve && !request.isProbe
                                ? .error(.serviceUnavailable, "too many connections") : await respond(request)
                        }
                        .serve()
                        admitted.left(client.channel)
                    }
                }
            }
        }
    }

    private func end() async {
        if case .unix(let path) = listener { unlink(path) }
        try? await group.shutdownGracefully()
    }

    private typealias Initializer = @Sendable (any Channel) -> EventLoopFuture<HTTPConnection.Channel>

    private static func open(
        _ listener: Endpoint, _ group: MultiThreadedEventLoopGroup, _ initializer: @escaping Initializer
    ) async throws -> Listening {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 64)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(ChannelOptions.socketOption(.so_sndbuf), value: sendBuffer)
        switch listener {
        case .tcp(let host, let port):
            do {
                return try await bootstrap.bind(host: host, port: Int(port), childChannelInitializer: initializer)
            } catch {
                let words = (error as? IOError).map { SystemError($0.errnoCode).words } ?? "\(error)"
                throw AdminListenError(listener, words)
            }
        case .unix(let path):
            return try await bootstrap.bind(try UnixListener.open(path), childChannelInitializer: initializer)
        }
    }

    private static func configuration(_ idleTime: Duration, _ firstRequestLimit: Duration) -> Initializer {
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
                try pipeline.addHandler(FirstRequestDeadline(TimeAmount(min(idleTime, firstRequestLimit))))
                try pipeline.addHandler(ResponsePartHandler())
                let streams = try HTTPConnection.Channel(wrappingChannelSynchronously: channel)
                try pipeline.addHandler(StreamKeeper(streams))
                return streams
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

import FailoverCore
import FailoverSystem
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// An HTTP/1.1 server on one listener, with small limits: 64 connections and 8 more for probes, 5 s for the first
/// request's head, 16 KiB of headers, 64 KiB of body, half a minute of idle time.
struct HTTPServer: Sendable {
    typealias Listening = NIOAsyncChannel<HTTPConnection.Channel, Never>

    private static let mostConnections = 64
    /// Additional connections for health probes when the others are in use.
    private static let reservedConnections = 8
    /// The kernel's send buffer for a client that does not read, in bytes. The default would grow to megabytes.
    private static let sendBuffer: SocketOptionValue = 64 << 10

    private let listening: Listening
    private let listener: Endpoint
    private let group: MultiThreadedEventLoopGroup

    /// Opens the listener.
    ///
    /// - Parameters:
    ///   - idleTime: how long a connection may go without a write before it is closed.
    ///   - firstRequestLimit: how long a client may take for the head of its first request.
    /// - Throws: ``OperationError`` if the listener cannot be opened.
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

    /// Closes the listener of a server that will not run.
    func close() async {
        // The stream must end before its event loop ends, and it only ends if it has an iterator.
        try? await listening.executeThenClose { _ = $0.makeAsyncIterator() }
        await end()
    }

    /// The address of the listener, with the port that the system chose: `127.0.0.1:8404`, `unix:/run/failover.sock`.
    var address: String {
        guard case .tcp(let host, 0) = listener, let port = listening.channel.localAddress?.port else {
            return "\(listener)"
        }
        return "\(Endpoint.tcp(host: host, port: UInt16(port)))"
    }

    /// Serves until the task is cancelled. Everything runs on the listener's event loop, except what `respond` starts
    /// elsewhere.
    func run(_ respond: @escaping @Sendable (AdminRequest) async -> AdminResponse) async {
        let executor = EventLoopExecutor(listening.channel.eventLoop)
        await withTaskExecutorPreference(executor) { await serve(respond) }
        // This call must not run on the loop, because it ends the loop.
        await end()
    }

    private func serve(_ respond: @escaping @Sendable (AdminRequest) async -> AdminResponse) async {
        let admitted = AdmittedClients(most: Self.mostConnections, reserve: Self.reservedConnections)
        try? await listening.executeThenClose { clients in
            try await withThrowingDiscardingTaskGroup { group in
                for try await client in clients {
                    let isReserve = admitted.admit(client.channel)
                    group.addTask {
                        // A channel must be opened before it can be closed.
                        guard let isReserve else {
                            try? await client.executeThenClose { _, _ in }
                            return
                        }
                        // An error on one connection ends only that connection.
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
                let message = (error as? IOError).map { SystemError($0.errnoCode).message } ?? "\(error)"
                throw OperationError.adminListen(listener, message)
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

extension OperationError {
    /// The error that the admin plane cannot listen on this address.
    fileprivate static func adminListen(_ listener: Endpoint, _ message: String) -> OperationError {
        OperationError(.listen, "cannot listen on \(listener) for administration: \(message)")
    }
}

/// A listening Unix socket that is never open to users other than its owner and, as far as umask(2) allows it, the
/// owner's group.
enum UnixListener {
    /// Opens the socket at the path. A socket file that an earlier process left there is replaced.
    static func open(_ path: String) throws(OperationError) -> Int32 {
        guard let address = FailoverCore.SocketAddress.unix(path: path) else {
            throw OperationError.adminListen(.unix(path: path), "the path of a Unix socket must have 1 to 107 bytes")
        }
        do throws(SystemError) {
            return try open(address)
        } catch {
            let advice = error.code == ENOENT ? "; its folder must exist" : ""
            throw OperationError.adminListen(.unix(path: path), error.message + advice)
        }
    }

    private static func open(_ address: FailoverCore.SocketAddress) throws(SystemError) -> Int32 {
        try UnixSocketFile.removeAbandoned(address)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .last(of: "socket") }
        // The mode is set before bind(2), so that the socket has these permissions from the start.
        guard fchmod(descriptor, 0o660) == 0, address.withSocketAddress({ bind(descriptor, $0, $1) }) == 0,
            listen(descriptor, 64) == 0
        else {
            let failure = SystemError.last(of: "bind")
            close(descriptor)
            throw failure
        }
        return descriptor
    }
}

import FailoverCore
import FailoverSystem
import FailoverTesting
import Glibc
import Logging
import Synchronization
import Testing

@testable import FailoverProxy

/// A running proxy with one route over backends on loopback ports, and the reports to its observer.
final class ProxyUnderTest: Sendable {
    let server: ProxyServer
    let board: RouteBoard
    let log: CapturedLog
    private let configuration: ProxyConfiguration
    private let seen: Seen
    private let witness: Witness
    private static let endpoint = Endpoint.tcp(host: "127.0.0.1", port: 1)

    private final class Seen: ProxyObserver {
        let failures = Lock<[BackendFailure]>([])
        let doubtful = Lock<[Int]>([])
        let served = Lock<[Int]>([])
        let arrivals = Atomic<Int>(0)

        func sessionArrived(route: Int) { arrivals.add(1, ordering: .relaxed) }
        func backendIsDoubtful(alias: Int) { doubtful.withLock { $0.append(alias) } }
        func backendServed(alias: Int) { served.withLock { $0.append(alias) } }
        func backendFailed(_ failure: BackendFailure, route: Int) { failures.withLock { $0.append(failure) } }
        let questions = Lock<[BoundaryQuestion]>([])
        /// Answers questions at once, instead of the test.
        let answer = Lock<(@Sendable (BoundaryQuestion) -> BoundaryReply)?>(nil)

        func boundariesWanted(_ question: BoundaryQuestion) {
            if let answer = answer.withLock({ $0 }) { return question.answer(answer(question)) }
            questions.withLock { $0.append(question) }
        }
    }

    /// Aliases are named `a0`, `a1`, … in the order of the ports.
    init(
        backends: [[SocketAddress]], listen: [SocketAddress] = [.loopback(port: 0)], maxConnections: Int? = nil,
        maxConnectionsPerSource: Int? = nil, connectionRatePerSource: Int? = nil,
        aliasLimits: [Int?]? = nil, answerTimeouts: [Duration] = [], engine: DatabaseServer.Engine = .tcp,
        allow: SourceNetworks? = nil, clientTLS: ClientTLS? = nil, serverTLS: [ServerTLS?] = [],
        session: SessionSettings = SessionSettings(), balance: BalanceSettings? = nil, preferredCount: Int = 1,
        workers: Int = 2, maxBufferMemory: Int? = 256 << 20, start: Bool = true
    ) throws {
        let aliases = backends.enumerated().map {
            AliasState(name: "a\($0)", endpoint: Self.endpoint, addresses: $1)
        }
        board = RouteBoard(
            RouteTable(
                aliases: aliases,
                routes: [Route(name: "slave", aliases: Array(aliases.indices), preferredCount: preferredCount)]))
        log = CapturedLog()
        seen = Seen()
        configuration = ProxyConfiguration(
            routes: [
                ProxyRoute(
                    name: "slave", engine: engine, listen: listen, allow: allow, maxConnections: maxConnections,
                    maxConnectionsPerSource: maxConnectionsPerSource,
                    connectionRatePerSource: connectionRatePerSource, session: session.patient, clientTLS: clientTLS,
                    balance: balance)
            ], aliasLimits: aliasLimits ?? backends.map { _ in nil }, aliasAnswerTimeouts: answerTimeouts,
            aliasTLS: serverTLS.map { $0.map { [Self.endpoint: $0] } ?? [:] }, workers: workers,
            maxBufferMemory: maxBufferMemory)
        server = try ProxyServer(
            configuration: configuration, table: board.table, observer: seen, log: log.logger)
        board.follow { [server] in server.follow($0) }
        // Captures the log instead of this object, because the witness outlives the proxy.
        witness = Witness("the proxy") { [log] in
            zip(log.lines, log.metadata).map { line, metadata in
                ([line] + metadata.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }).joined(separator: " ")
            }
        }
        if start { try server.start() }
    }

    convenience init(
        ports: [Int], engine: DatabaseServer.Engine = .tcp, session: SessionSettings = SessionSettings(),
        workers: Int = 2
    ) throws {
        try self.init(
            backends: ports.map { [.loopback(port: $0)] }, engine: engine, session: session, workers: workers)
    }

    var failures: [BackendFailure] { seen.failures.withLock { $0 } }
    /// The aliases that were reported as doubtful.
    var doubtful: [Int] { seen.doubtful.withLock { $0 } }
    /// The aliases that served as the last resort.
    var served: [Int] { seen.served.withLock { $0 } }
    var arrivals: Int { seen.arrivals.load(ordering: .relaxed) }

    /// Answers this and all further questions to servers.
    func answerQuestions(_ answer: @escaping @Sendable (BoundaryQuestion) -> BoundaryReply) {
        seen.answer.withLock { $0 = answer }
        for question in seen.questions.withLock({ $0 }) { question.answer(answer(question)) }
    }

    /// Serves the route with these settings from now on.
    func change(session: SessionSettings) async throws {
        var configuration = configuration
        configuration.routes[0].session = session.patient
        let change = try server.prepare(configuration)
        await server.commit(change, observer: seen) {}
    }

    /// The questions to servers that no test has taken yet.
    var questionCount: Int { seen.questions.withLock { $0.count } }

    /// The next question to a server that no test has taken yet.
    func question() async throws -> BoundaryQuestion {
        _ = await eventually { self.seen.questions.withLock { !$0.isEmpty } }
        return try #require(seen.questions.withLock { $0.isEmpty ? nil : $0.removeFirst() }, "no question")
    }

    /// The port that the system chose for the first listener.
    var port: Int { server.addresses[0][0].localPort }

    /// - Parameter lastByte: the last byte of the client's address; default: 127.0.0.1.
    func connect(from lastByte: UInt8? = nil) async throws -> TCPClient {
        try await TCPClient.connect(port: port, from: lastByte)
    }

    /// Connects and begins encryption, as a client of PostgreSQL does.
    func connectEncrypted() async throws -> TCPClient {
        let client = try await connect()
        try await client.send(PostgresWire.sslRequest)
        #expect(try await client.receiveText(1) == "S")
        try await client.send(PostgresWire.hello)
        #expect(try await client.receive(PostgresWire.serverHello.count) == PostgresWire.serverHello)
        return client
    }

    /// Connects and returns the greeting of the backend that serves.
    func whoAnswers(length: Int = 2) async throws -> String {
        try await connect().receiveText(length)
    }
}

/// What a client received, and what the proxy observed of its servers.
struct Served<Words: Sendable>: Sendable {
    let said: Words
    let failures: [BackendFailure]
}

extension SessionSettings {
    /// The same settings; time limits that a test has not set become so long that no machine reaches them.
    var patient: SessionSettings {
        let unset = SessionSettings()
        var settings = self
        if connectTimeout == unset.connectTimeout { settings.connectTimeout = .ample }
        if greetingTimeout == unset.greetingTimeout { settings.greetingTimeout = .ample }
        if clientStartupTimeout == unset.clientStartupTimeout { settings.clientStartupTimeout = .ample }
        if loginTimeout == unset.loginTimeout { settings.loginTimeout = .ample }
        // Few tests are about the rest that a session needs.
        if drainIdle == unset.drainIdle { settings.drainIdle = .milliseconds(50) }
        if drainBusyAfter == unset.drainBusyAfter { settings.drainBusyAfter = settings.drainGrace }
        if refusalTimeout == unset.refusalTimeout { settings.refusalTimeout = .ample }
        return settings
    }
}

extension FaultyServerConnection {
    /// Reads the client's first eight bytes. If they request encryption, begins it.
    ///
    /// - Returns: whether the client has requested encryption.
    func beginPostgresEncryption() -> Bool {
        guard receive(exactly: 8) == PostgresWire.sslRequest else { return false }
        send(Array("S".utf8))
        _ = receive(exactly: PostgresWire.hello.count)
        send(PostgresWire.serverHello)
        return true
    }
}

extension SocketAddress {
    /// The port, which has the same offset in both families.
    var localPort: Int { Int(bytes[2]) << 8 | Int(bytes[3]) }

    /// A port of 127.0.0.1.
    static func loopback(port: Int) -> SocketAddress {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return SocketAddress(bytes: withUnsafeBytes(of: address) { Array($0) }, description: "127.0.0.1:\(port)")
    }

    /// A port of ::1.
    static func loopback6(port: Int) -> SocketAddress {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = in_port_t(port).bigEndian
        address.sin6_addr = in6addr_loopback
        return SocketAddress(bytes: withUnsafeBytes(of: address) { Array($0) }, description: "[::1]:\(port)")
    }

    /// A Unix socket.
    static func unix(_ path: String) -> SocketAddress {
        let family = withUnsafeBytes(of: sa_family_t(AF_UNIX)) { Array($0) }
        return SocketAddress(bytes: family + Array(path.utf8) + [0], description: "unix:\(path)")
    }
}

package import FailoverCore
package import FailoverSystem

/// Pings the servers of a Memcached pool concurrently. The pool is down if any of them is down.
package struct MemcachedCheck: Sendable {
    private let servers: [(name: String, check: AddressedCheck)]

    package init(servers: [Endpoint], resolver: NameResolver, threads: BlockingThreads) {
        self.servers = servers.map { endpoint in
            let check = AddressedCheck(
                endpoint: endpoint, secret: nil, driver: .blocking(MemcachedDriver()), resolver: resolver,
                threads: threads)
            return (endpoint.description, check)
        }
    }

    /// Pings each server of the pool once.
    ///
    /// - Parameter limit: the time limit of each ping, with its name look-up. The pings run at the same time, so it is
    ///   the limit of all.
    /// - Throws: `.serversDown` with the names of the dead servers. If none is dead, or the pool has one server, the
    ///   failure of a server.
    package func ping(limit: Duration) async throws(PingFailure) {
        let failures = await withTaskGroup(of: (Int, PingFailure?).self) { group in
            for (index, server) in servers.enumerated() {
                group.addTask { (index, await server.check.failure(limit: limit)) }
            }
            var failures = [PingFailure?](repeating: nil, count: servers.count)
            for await (index, failure) in group { failures[index] = failure }
            return failures
        }
        let failed = zip(servers, failures).compactMap { server, failure in
            failure.map { (name: server.name, failure: $0) }
        }
        // A server that refuses or could not be asked does not count as dead.
        let dead = failed.filter { $0.failure.kind == .dead }
        guard let first = dead.first ?? failed.first(where: { $0.failure.kind == .refusal }) ?? failed.first else {
            return
        }
        if dead.isEmpty || servers.count == 1 { throw first.failure }
        let list = dead.map { "\($0.name) (\($0.failure.reason))" }.joined(separator: ", ")
        throw PingFailure(
            .serversDown(dead.map(\.name)), "\(dead.count) of \(servers.count) servers down: \(list)")
    }
}

extension AddressedCheck {
    /// The failure of one ping; `nil` if it succeeded.
    fileprivate func failure(limit: Duration) async -> PingFailure? { await answer(PingRequest(limit: limit)).failure }
}

/// Asks a Memcached server for its version. A server that accepts the connection and does not answer is dead.
///
/// This type implements the text protocol itself. The time limit of libmemcached applies to each wait, so a server that
/// sends single bytes can exceed it.
struct MemcachedDriver: PingDriver {
    func ping(_ attempt: PingAttempt) throws(PingFailure) -> ServerAnswer {
        var stream = try PingStream(attempt)
        attempt.reached(.query)
        try stream.send(Array("version\r\n".utf8))
        var answer = MemcachedAnswer()
        while !answer.isWhole { answer.add(try stream.receive()) }
        if let failure = answer.failure { throw attempt.failure(failure.reason, failure.message) }
        stream.closeInOrder()
        return ServerAnswer()
    }
}

/// A Memcached server's answer to `version`: one line.
struct MemcachedAnswer {
    /// The maximum size of an answer. An error line may contain a sentence.
    private static let longest = 1024
    private static let newline = UInt8(ascii: "\n")

    private var bytes: [UInt8] = []

    /// Whether the answer is complete or too long.
    var isWhole: Bool { bytes.count > Self.longest || bytes.contains(Self.newline) }

    mutating func add(_ bytes: some Sequence<UInt8>) { self.bytes += bytes }

    /// The failure in the answer; `nil` if it is a version.
    var failure: (reason: PingFailure.Reason, message: String)? {
        let line = String(decoding: bytes.prefix { $0 != Self.newline }, as: UTF8.self)
        return line.hasPrefix("VERSION ") && line.hasSuffix("\r") ? nil : (Self.reason(of: line), line)
    }

    private static func reason(of line: String) -> PingFailure.Reason {
        if line.hasPrefix("ERROR Too many open connections") { return .tooManyConnections }
        if line.hasPrefix("CLIENT_ERROR unauthenticated") { return .authentication }
        return line.hasPrefix("SERVER_ERROR") ? .query : .protocolViolation
    }
}

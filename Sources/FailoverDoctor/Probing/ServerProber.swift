package import FailoverChecks
package import FailoverCore
package import FailoverSystem

/// Logs in to a server once at each of its addresses, and collects facts about it.
package struct ServerProber: Sendable {
    private let resolver: NameResolver
    private let threads: BlockingThreads

    /// The maximum number of addresses of a name that are examined.
    private static let mostAddresses = 8
    /// The number of look-ups of a name. With load balancing by DNS, each may return different addresses.
    private static let lookUps = 3
    /// Additional time after the deadline, so that an examination can end by itself. Its own error says what it waited
    /// for.
    private static let grace = Duration.milliseconds(150)

    package init(resolver: NameResolver, threads: BlockingThreads) {
        self.resolver = resolver
        self.threads = threads
    }

    /// Examines a server.
    ///
    /// - Parameter limit: the time limit for everything: name look-up, connect, TLS, login and queries. All addresses
    ///   are examined in parallel.
    package func probe(_ server: DatabaseServer, limit: Duration) async -> ServerProbe {
        let deadline = Deadline(limit)
        let addresses: [SocketAddress]
        do { addresses = try await resolver.addresses(of: server.endpoint, limit: limit) } catch {
            return ServerProbe(unresolved: error)
        }
        var probe = ServerProbe(lookUps: [Set(addresses.map(\.hostText))])
        // A slow name server is not asked again.
        while limit - deadline.remaining < .seconds(1), probe.lookUps.count < Self.lookUps,
            let again = try? await resolver.addresses(of: server.endpoint, limit: deadline.remaining)
        {
            probe.lookUps.append(Set(again.map(\.hostText)))
        }
        probe.answers = await answers(of: server, at: addresses, until: deadline, limit)
        return probe
    }

    private func answers(
        of server: DatabaseServer, at addresses: [SocketAddress], until deadline: Deadline, _ limit: Duration
    ) async -> [ServerProbe.Answer] {
        await withTaskGroup { group in
            for (index, address) in addresses.prefix(Self.mostAddresses).enumerated() {
                let name = server.endpoint.description
                let peer = addresses.count == 1 ? name : "\(name) (\(address))"
                group.addTask {
                    let facts = await facts(of: server, at: address, peer, until: deadline, limit)
                    return (index, ServerProbe.Answer(address: address.hostText, facts: facts))
                }
            }
            var answers: [(Int, ServerProbe.Answer)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func facts(
        of server: DatabaseServer, at address: SocketAddress, _ peer: String, until deadline: Deadline,
        _ limit: Duration
    ) async -> Result<ServerFacts?, PingFailure> {
        let probe: any ServerExamination =
            switch server.engine {
            case .postgres: PostgresProbe(server: server)
            case .mysql: MySQLProbe(server: server)
            case .tcp: TCPExamination()
            }
        let progress = PingProgress(peer: peer, limit: limit)
        let attempt = PingAttempt(
            address: address, peer: peer, deadline: deadline, request: PingRequest(limit: limit), progress: progress,
            secret: server.password)
        do {
            return .success(
                try await threads.run(within: deadline.remaining + Self.grace, orFail: { progress.timeout }) {
                    () throws(PingFailure) in try probe.facts(attempt)
                })
        } catch {
            return .failure(error)
        }
    }
}

/// The examination of a server with any other protocol: it only connects.
struct TCPExamination: ServerExamination {
    func facts(_ attempt: PingAttempt) throws(PingFailure) -> ServerFacts? {
        let connection = try TCPConnection.connected(attempt)
        connection.closeInOrder(before: attempt.deadline)
        return nil
    }
}

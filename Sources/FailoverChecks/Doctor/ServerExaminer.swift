package import FailoverCore
package import FailoverSystem

/// Logs in to servers once, at every address that they have, and asks them what they are.
package struct ServerExaminer: Sendable {
    private let resolver: NameResolver
    private let threads: BlockingThreads

    /// A name with more addresses than this is looked at no further.
    private static let mostAddresses = 8
    /// Balancers of names answer differently from one moment to the next.
    private static let lookUps = 3
    /// More time for who ends by itself at the deadline and knows best what it waited for.
    private static let grace = Duration.milliseconds(150)

    package init(resolver: NameResolver, threads: BlockingThreads) {
        self.resolver = resolver
        self.threads = threads
    }

    /// Examines a server.
    ///
    /// - Parameter limit: for everything: name look-up, connect, TLS, login, questions. Addresses are asked side by side.
    package func examine(_ server: DatabaseServer, limit: Duration) async -> Examination {
        let deadline = Deadline(limit)
        let addresses: [SocketAddress]
        do { addresses = try await resolver.addresses(of: server.endpoint, limit: limit) } catch {
            return Examination(unresolved: error)
        }
        var examination = Examination(lookUps: [Set(addresses.map(\.hostText))])
        // A name server that takes its time is not asked again.
        while limit - deadline.remaining < .seconds(1), examination.lookUps.count < Self.lookUps,
            let again = try? await resolver.addresses(of: server.endpoint, limit: deadline.remaining)
        {
            examination.lookUps.append(Set(again.map(\.hostText)))
        }
        examination.answers = await answers(of: server, at: addresses, until: deadline, limit)
        return examination
    }

    private func answers(
        of server: DatabaseServer, at addresses: [SocketAddress], until deadline: Deadline, _ limit: Duration
    ) async -> [Examination.Answer] {
        await withTaskGroup { group in
            for (index, address) in addresses.prefix(Self.mostAddresses).enumerated() {
                let name = server.endpoint.description
                let peer = addresses.count == 1 ? name : "\(name) (\(address))"
                group.addTask {
                    let facts = await facts(of: server, at: address, peer, until: deadline, limit)
                    return (index, Examination.Answer(address: address.hostText, facts: facts))
                }
            }
            var answers: [(Int, Examination.Answer)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func facts(
        of server: DatabaseServer, at address: SocketAddress, _ peer: String, until deadline: Deadline,
        _ limit: Duration
    ) async -> Result<ServerFacts?, PingFailure> {
        let examination: any ServerExamination =
            switch server.engine {
            case .postgres: PostgresExamination(server: server)
            case .mysql: MySQLExamination(server: server)
            case .tcp: TCPExamination()
            }
        let progress = PingProgress(peer: peer, limit: limit)
        let attempt = PingAttempt(
            address: address, peer: peer, deadline: deadline, progress: progress, secret: server.password)
        do {
            return .success(
                try await threads.run(within: deadline.remaining + Self.grace, orFail: { progress.timeout }) {
                    () throws(PingFailure) in try examination.facts(attempt)
                })
        } catch {
            return .failure(error)
        }
    }
}

import FailoverChecks
import FailoverCore
import FailoverSystem
import Glibc
import SystemPackage

/// Logs in everywhere that a configuration names, and gathers what a ``Diagnosis`` goes by.
package struct Checkup: Sendable {
    private let configuration: Configuration
    private let path: String
    private let secrets: [SecretPlace]
    private let checks = CheckFactory()

    /// Servers are asked side by side, each for so long at most.
    private static let limit = Duration.seconds(10)

    /// - Parameters:
    ///   - path: where the configuration was read from.
    ///   - secrets: where it keeps its secrets.
    package init(_ configuration: Configuration, path: String, secrets: [SecretPlace]) {
        self.configuration = configuration
        self.path = path
        self.secrets = secrets
    }

    /// Looks at everything; takes a few seconds more than the slowest server, and 15 at most.
    package func diagnosis() async -> Diagnosis {
        var facts = CheckupFacts(configuration: configuration, now: .now)
        async let candidates = candidates()
        async let failures = failures()
        facts.files = files()
        facts.authorities = await authorities()
        for (alias, candidates) in zip(configuration.databases, await candidates) {
            let its = candidates.first { $0.has(alias.server.role) } ?? candidates[0]
            facts.examinations[alias.name] = its.examination
            if candidates.count > 1 { facts.candidates[alias.name] = candidates }
        }
        facts.failures = await failures
        return Diagnosis(facts)
    }

    /// Of each alias, in the order of the configuration, the servers that it may be.
    private func candidates() async -> [[CheckupFacts.Candidate]] {
        let examiner = ServerExaminer(resolver: checks.resolver, threads: checks.threads)
        let servers = configuration.databases.map { alias in alias.server.endpoints.map(alias.server.at) }
        return await withTaskGroup { group in
            for (alias, servers) in servers.enumerated() {
                for (index, server) in servers.enumerated() {
                    group.addTask { (alias, index, await examiner.examine(server, limit: Self.limit)) }
                }
            }
            var found = servers.map {
                $0.map { CheckupFacts.Candidate(endpoint: $0.endpoint, examination: Examination()) }
            }
            for await (alias, index, examination) in group { found[alias][index].examination = examination }
            return found
        }
    }

    /// Services that are no databases are pinged, which is all that is known of them.
    private func failures() async -> [String: PingFailure] {
        let targets = configuration.pingTargets.filter { configuration.database(named: $0.name) == nil }
        return await withTaskGroup { group in
            for target in targets {
                group.addTask { (target.name, await target.ping(limit: Self.limit).failure) }
            }
            var failures: [String: PingFailure] = [:]
            for await (name, failure) in group { failures[name] = failure }
            return failures
        }
    }

    private func files() -> [SecretFile] {
        var paths: [String] = []
        for secret in secrets where !paths.contains(secret.file ?? path) { paths.append(secret.file ?? path) }
        return paths.map { file in
            let own = secrets.filter { ($0.file ?? path) == file }
            var status = stat()
            let isReadable = stat(file, &status) == 0 && status.st_mode & S_IROTH != 0
            return SecretFile(
                path: file, keyPaths: own.map(\.keyPath), isConfiguration: own.contains { $0.file == nil },
                isReadableByAll: isReadable)
        }
    }

    private func authorities() async -> [String: [CertificateFacts]] {
        var paths = configuration.databases.compactMap(\.server.tlsAuthorities)
        for service in configuration.services {
            guard case .watched(let server, _) = service.kind else { continue }
            switch server {
            case .rabbitmq(let server): paths += [server.tlsAuthorities].compactMap { $0 }
            case .redis(let server): paths += [server.tlsAuthorities].compactMap { $0 }
            case .tcp, .memcached, .command: continue
            }
        }
        for notifier in configuration.notifiers {
            if case .webhook(_, _, let authorities?) = notifier.kind { paths.append(authorities) }
        }
        var found: [String: [CertificateFacts]] = [:]
        for path in Set(paths) {
            let text = try? SmallFile(path: FilePath(path), maximumSize: 4 << 20).text
            found[path] = CertificateFacts.all(inPEM: text ?? "")
        }
        return found
    }
}

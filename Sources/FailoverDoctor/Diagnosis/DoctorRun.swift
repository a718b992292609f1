import FailoverChecks
package import FailoverConfiguration
package import FailoverCore
import FailoverSystem
import FailoverTLS
import Glibc

/// A service that is not a database. Doctor only pings it.
package struct OtherService: Sendable {
    package let name: String
    /// Pings once within a time limit; returns the failure, if any.
    let ping: @Sendable (Duration) async -> PingFailure?

    package init(name: String, ping: @escaping @Sendable (Duration) async -> PingFailure?) {
        self.name = name
        self.ping = ping
    }
}

/// Logs in to every server that a configuration names, and collects the facts for a ``Diagnosis``.
package struct DoctorRun: Sendable {
    private let configuration: Configuration
    private let path: String
    private let secrets: [SecretPlace]
    private let others: [OtherService]
    private let checks = CheckFactory()

    /// The time limit for each server. Servers are examined in parallel.
    private static let limit = Duration.seconds(10)

    /// - Parameters:
    ///   - path: the path of the configuration file.
    ///   - secrets: where the configuration keeps its secrets.
    ///   - others: its services that are not databases.
    package init(_ configuration: Configuration, path: String, secrets: [SecretPlace], others: [OtherService]) {
        self.others = others
        self.configuration = configuration
        self.path = path
        self.secrets = secrets
    }

    /// Examines everything. Takes a few seconds more than the slowest server, and 15 seconds at most.
    package func diagnosis() async -> Diagnosis {
        var facts = DoctorFacts(configuration: configuration, now: .now)
        async let candidates = candidates()
        async let failures = failures()
        facts.files = files()
        facts.authorities = await authorities()
        facts.certificates = certificates()
        for (alias, candidates) in zip(configuration.databases, await candidates) {
            let its = candidates.first { $0.has(alias.server.role) } ?? candidates[0]
            facts.probes[alias.name] = its.probe
            if candidates.count > 1 { facts.candidates[alias.name] = candidates }
        }
        facts.failures = await failures
        return Diagnosis(facts)
    }

    /// The candidate servers of each alias, in the order of the configuration.
    private func candidates() async -> [[DoctorFacts.Candidate]] {
        let prober = ServerProber(resolver: checks.resolver, threads: checks.threads)
        let servers = configuration.databases.map { alias in alias.server.endpoints.map(alias.server.at) }
        return await withTaskGroup { group in
            for (alias, servers) in servers.enumerated() {
                for (index, server) in servers.enumerated() {
                    group.addTask { (alias, index, await prober.probe(server, limit: Self.limit)) }
                }
            }
            var found = servers.map {
                $0.map { DoctorFacts.Candidate(endpoint: $0.endpoint, probe: ServerProbe()) }
            }
            for await (alias, index, probe) in group { found[alias][index].probe = probe }
            return found
        }
    }

    /// Pings the services that are not databases.
    private func failures() async -> [String: PingFailure] {
        await withTaskGroup { group in
            for service in others {
                group.addTask { (service.name, await service.ping(Self.limit)) }
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
        paths += configuration.databaseRoutes.compactMap(\.route.clientTLS?.clientAuthorities)
        var found: [String: [CertificateFacts]] = [:]
        for path in Set(paths) { found[path] = Self.certificates(inFile: path) }
        return found
    }

    /// The certificates of the proxy itself, by route.
    private func certificates() -> [String: CertificateFacts] {
        configuration.databaseRoutes.reduce(into: [:]) { found, route in
            found[route.name] = route.route.clientTLS.flatMap { Self.certificates(inFile: $0.certificate).first }
        }
    }

    private static func certificates(inFile path: String) -> [CertificateFacts] {
        let text = try? SmallFile(path: path, maximumSize: 4 << 20).text
        return CertificateFacts.all(inPEM: text ?? "")
    }
}

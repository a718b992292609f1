import FailoverChecks
import FailoverConfiguration
import FailoverCore
import FailoverTLS

/// The findings about the certificate of a route where TLS with clients ends at the proxy.
struct ClientTLSDiagnosis {
    private(set) var findings: [Finding] = []

    private let name: String
    private let route: DatabaseRoute
    private let facts: DoctorFacts

    init(_ name: String, _ route: DatabaseRoute, _ facts: DoctorFacts) {
        self.name = name
        self.route = route
        self.facts = facts
        guard let settings = route.clientTLS, let certificate = facts.certificates[name] else { return }
        lookAtEnd(certificate, settings)
        for alias in route.postgresAliases(in: facts.configuration) { lookAtChannelBinding(alias, certificate) }
    }

    private mutating func lookAtEnd(_ certificate: CertificateFacts, _ settings: ClientTLSSettings) {
        guard let message = certificate.expiryMessage(now: facts.now) else { return }
        findings.append(
            Finding(
                .certificateEnds, .route(name),
                "the proxy's certificate, \(certificate.subject), \(message): clients that verify it will not connect",
                remedy: "install a new certificate at \(settings.certificate), then failover reload"))
    }

    /// SCRAM binds a login to the certificate that the client sees, and the server compares it with its own.
    private mutating func lookAtChannelBinding(_ alias: DatabaseAlias, _ certificate: CertificateFacts) {
        let probes = facts.candidates[alias.name]?.map(\.probe) ?? [facts.probes[alias.name]].compactMap(\.self)
        for server in probes.compactMap(\.facts?.certificate) {
            guard let endPoint = server.endPoint, endPoint != certificate.endPoint else { continue }
            findings.append(
                Finding(
                    .channelBinding, .alias(alias.name),
                    "libpq binds SCRAM logins to the certificate that it gets, which is \(certificate.subject) of route "
                        + "\(name), and this server has another one, \(server.subject): it refuses these logins unless "
                        + "the client has channel_binding=disable",
                    remedy:
                        "the server's certificate and key in services.\(name).client_tls, or channel_binding=disable in "
                        + "the clients; on a trusted network also databases.\(alias.name).tls: disable"))
            return
        }
    }
}

extension DatabaseRoute {
    /// The aliases of the route with engine postgres to which the proxy may use TLS.
    func postgresAliases(in configuration: Configuration) -> [DatabaseAlias] {
        aliases.compactMap(configuration.database(named:)).filter { alias in
            let isRemote = alias.server.endpoints.contains { if case .tcp = $0 { true } else { false } }
            return alias.server.engine == .postgres && alias.server.tls != .disable && isRemote
        }
    }
}

/// Something that `failover validate` shows, because it cannot find out whether it is a problem.
package struct ConfigurationNote: Hashable, Sendable {
    package let subject: Finding.Subject
    package let text: String
}

extension Configuration {
    /// How clients of each route with `client_tls` log in with SCRAM.
    var channelBindingNotes: [ConfigurationNote] {
        databaseRoutes.compactMap { name, route in
            guard route.clientTLS != nil, let first = route.aliases.first.flatMap(database(named:)),
                first.server.engine == .postgres
            else { return nil }
            let encrypted = route.postgresAliases(in: self).map(\.name).joined(separator: ", ")
            let text =
                encrypted.isEmpty
                ? "SCRAM logins work without channel binding, because the servers are reached in clear text"
                : "clients of libpq bind SCRAM logins to the certificate of client_tls. With TLS to \(encrypted) they "
                    + "can log in only if the server has the same certificate, or with channel_binding=disable; "
                    + "failover doctor compares the certificates"
            return ConfigurationNote(subject: .route(name), text: text)
        }
    }

    /// Routes where only clients within TLS need a certificate.
    var clientCertificateNotes: [ConfigurationNote] {
        databaseRoutes.compactMap { name, route in
            guard let settings = route.clientTLS, settings.clientAuthorities != nil, !settings.isRequired else {
                return nil
            }
            let text = "clients in clear text need no certificate; require: true in client_tls refuses them"
            return ConfigurationNote(subject: .route(name), text: text)
        }
    }
}

import FailoverTesting
import Foundation
import Testing

/// Certificates for routes where TLS ends at the proxy, and for their clients, in a folder of their own. openssl(1)
/// makes them.
///
/// - `server`: the certificate that the laboratory's servers have, too.
/// - `proxy`, `rsa`, `expired`: other certificates of the laboratory's authority, for localhost.
/// - `app`, `late`: of the authority `clients`; `late` has expired.
/// - `stranger`: of the authority `others`. `own`: self-signed.
struct ProxyCertificates {
    /// Where the laboratory's authority and the certificate of its servers are.
    private static let laboratory = "\(Laboratory.directory)/tls"

    private static let script = """
        cp "$2"/{ca,server}.{pem,key} .
        authority clients; authority others
        leaf proxy /CN=proxy ca 30 DNS:localhost,IP:127.0.0.1
        leaf rsa /CN=rsa ca 30 DNS:localhost,IP:127.0.0.1 "-newkey rsa:2048 -nodes"
        leaf expired /CN=expired ca -1 DNS:localhost,IP:127.0.0.1
        leaf app /CN=app clients 30 DNS:app; leaf late /CN=late clients -1 DNS:app
        leaf stranger /CN=stranger others 30 DNS:app
        alone own /CN=own
        chmod 600 *.key
        """

    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try CertificateScript.run(Self.script, in: scratch.path("."), [Self.laboratory])
    }

    func path(_ name: String) -> String { scratch.path(name) }

    /// The keys of a route whose clients' TLS ends at the proxy.
    ///
    /// - Parameters:
    ///   - certificate: the proxy's.
    ///   - more: additional keys of `client_tls`.
    func route(_ certificate: String = "server", _ more: String = "") -> String {
        let files = "certificate: \(path("\(certificate).pem")), key: \(path("\(certificate).key"))"
        return "client_tls: {\(files)\(more.isEmpty ? "" : ", \(more)")}"
    }

    /// Starts the proxy with such a route, which has TLS with its servers, too.
    ///
    /// - Parameter servers: the key `tls` of the aliases.
    func start(
        _ engine: Laboratory.Engine, certificate: String = "server", _ more: String = "", servers: String = "require"
    ) throws -> FailoverProcess {
        try FailoverProcess(
            configuration: engine.configuration(
                primary: "tls: \(servers)", replica: "tls: \(servers)", route: route(certificate, more)))
    }
}

import FailoverCore
import FailoverSystem
package import FailoverTLS

/// Contexts of TLS for tests, with certificates that openssl(1) makes once in a run.
package struct TestTLS: Sendable {
    package static let shared: TestTLS = {
        do { return try TestTLS() } catch { preconditionFailure("no certificates for tests: \(error)") }
    }()

    /// A server with a certificate for `localhost` that ``client`` trusts.
    package let server: TLSContext
    /// The same, which sends two session tickets after each handshake.
    package let ticketing: TLSContext
    /// A server with a certificate of an authority that nobody trusts.
    package let stranger: TLSContext
    /// A server that requires a certificate of its clients.
    package let demanding: TLSContext
    /// A client that verifies the name `localhost`, and names PostgreSQL's protocol.
    package let client: TLSContext
    /// The same, which names no protocol.
    package let unnamed: TLSContext
    /// The same, with the certificate `/CN=app` of its own.
    package let known: TLSContext
    /// A client that accepts every certificate.
    package let trusting: TLSContext

    private static let script = """
        authority ca
        leaf server /CN=localhost ca 30 DNS:localhost
        leaf app /CN=app ca 30 DNS:app
        alone stranger /CN=localhost -addext subjectAltName=DNS:localhost
        """

    private init() throws {
        let scratch = try Scratch()
        try CertificateScript.run(Self.script, in: scratch.path(""))
        func identity(_ name: String) -> TLSIdentity {
            TLSIdentity(certificate: scratch.path("\(name).pem"), key: scratch.path("\(name).key"))
        }
        func server(_ name: String = "server", authorities: String? = nil) -> TLSServerSettings {
            TLSServerSettings(
                identity: identity(name), clientAuthorities: authorities, speaksPostgres: true, tickets: 2)
        }
        func client(_ verification: TLSClientSettings.Verification = .name("localhost")) -> TLSClientSettings {
            TLSClientSettings(
                verification: verification, authorities: scratch.path("ca.pem"), speaksPostgres: true)
        }
        self.server = try .server(server())
        ticketing = try .server(server(), tickets: TicketKeys())
        stranger = try .server(server("stranger"))
        demanding = try .server(server(authorities: scratch.path("ca.pem")))
        self.client = try .client(client())
        trusting = try .client(client(.none))
        var unnamed = client()
        unnamed.speaksPostgres = false
        self.unnamed = try .client(unnamed)
        var known = client()
        known.identity = identity("app")
        self.known = try .client(known)
        // The contexts have read all files.
        _ = consume scratch
    }
}

import FailoverCore
import FailoverTLS
import FailoverTesting

/// Certificates that are made once for all tests of a run, by openssl(1).
enum Certificates {
    private static let scratch: Scratch = {
        do {
            let scratch = try Scratch()
            try CertificateScript.run(script, in: scratch.path("."))
            return scratch
        } catch {
            preconditionFailure("no certificates for tests: \(error)")
        }
    }()

    static func path(_ name: String) -> String { scratch.path(name) }

    static func identity(_ name: String = "server") -> TLSIdentity {
        TLSIdentity(certificate: path("\(name).pem"), key: path("\(name).key"))
    }

    private static let script = """
        authority ca; authority other
        leaf server /CN=localhost ca 30 DNS:localhost,IP:127.0.0.1
        leaf renewed /CN=localhost ca 30 DNS:localhost,IP:127.0.0.1
        leaf expired /CN=localhost ca -1 DNS:localhost
        leaf client /CN=app/O=tests ca 30 DNS:app
        leaf stranger /CN=app other 30 DNS:app
        leaf rsa /CN=localhost ca 30 DNS:localhost "-newkey rsa:2048 -nodes"
        alone own /CN=localhost -addext subjectAltName=DNS:localhost
        openssl req -x509 -newkey ed25519 -nodes -days 30 -keyout ed.key -out ed.pem -subj /CN=localhost
        openssl ec -in server.key -aes256 -passout pass:secret -out locked.key
        cat server.pem ca.pem > chain-of-server.pem; cp server.key chain-of-server.key
        echo nothing > empty.pem
        { cat server.pem; echo '-----BEGIN CERTIFICATE-----'; echo MIIB; echo '-----END CERTIFICATE-----'; } > broken.pem
        """
}

extension TLSContext {
    static func server(
        _ name: String = "server", clientAuthorities: String? = nil, minVersion: TLSVersion = .v12,
        tickets: TicketKeys? = nil, route: String = "route"
    ) throws -> TLSContext {
        try .server(
            TLSServerSettings(
                identity: Certificates.identity(name), clientAuthorities: clientAuthorities.map(Certificates.path),
                minVersion: minVersion, speaksPostgres: true, name: route),
            tickets: tickets)
    }

    static func client(
        _ verification: TLSClientSettings.Verification = .name("localhost"), authorities: String = "ca",
        identity: String? = nil, speaksPostgres: Bool = true, minVersion: TLSVersion = .v12
    ) throws -> TLSContext {
        try .client(
            TLSClientSettings(
                verification: verification, serverName: "localhost",
                authorities: Certificates.path("\(authorities).pem"),
                identity: identity.map(Certificates.identity), minVersion: minVersion, speaksPostgres: speaksPostgres))
    }
}

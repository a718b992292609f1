import FailoverCore
import FailoverTLS
import Foundation

/// Certificates that are made once for all tests of a run, by openssl(1).
enum Certificates {
    static let folder: String = {
        let folder = FileManager.default.temporaryDirectory.appending(path: "failover-tls-\(getpid())").path
        make(in: folder)
        return folder
    }()

    static func path(_ name: String) -> String { "\(folder)/\(name)" }

    static func identity(_ name: String = "server") -> TLSIdentity {
        TLSIdentity(certificate: path("\(name).pem"), key: path("\(name).key"))
    }

    private static func make(in folder: String) {
        let script = """
            set -e
            mkdir -p \(folder); cd \(folder)
            ec="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
            authority() {
              openssl req -x509 $ec -days 30 -keyout $1.key -out $1.pem -subj "/CN=$1" \
                -addext 'keyUsage=critical,keyCertSign,cRLSign'
            }
            leaf() { # NAME SUBJECT AUTHORITY DAYS NAMES KEY
              openssl req $6 -keyout $1.key -out $1.csr -subj "$2"
              openssl x509 -req -in $1.csr -CA $3.pem -CAkey $3.key -CAcreateserial -days $4 -out $1.pem \
                -extfile <(echo "subjectAltName=$5")
            }
            authority ca; authority other
            leaf server /CN=localhost ca 30 DNS:localhost,IP:127.0.0.1 "$ec"
            leaf renewed /CN=localhost ca 30 DNS:localhost,IP:127.0.0.1 "$ec"
            leaf expired /CN=localhost ca -1 DNS:localhost "$ec"
            leaf client /CN=app/O=tests ca 30 DNS:app "$ec"
            leaf stranger /CN=app other 30 DNS:app "$ec"
            leaf rsa /CN=localhost ca 30 DNS:localhost "-newkey rsa:2048 -nodes"
            openssl req -x509 $ec -days 30 -keyout own.key -out own.pem -subj /CN=localhost \
              -addext subjectAltName=DNS:localhost
            openssl req -x509 -newkey ed25519 -nodes -days 30 -keyout ed.key -out ed.pem -subj /CN=localhost
            openssl ec -in server.key -aes256 -passout pass:secret -out locked.key
            cat server.pem ca.pem > chain-of-server.pem; cp server.key chain-of-server.key
            echo nothing > empty.pem
            { cat server.pem; echo '-----BEGIN CERTIFICATE-----'; echo MIIB; echo '-----END CERTIFICATE-----'; } > broken.pem
            """
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", script]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try? process.run()
        process.waitUntilExit()
        precondition(process.terminationStatus == 0, "openssl cannot make the certificates of the tests")
    }
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

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
        set -e
        ec="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        authority() {
          openssl req -x509 $ec -days 30 -keyout $1.key -out $1.pem -subj "/CN=$1" \
            -addext 'keyUsage=critical,keyCertSign,cRLSign'
        }
        leaf() { # NAME AUTHORITY DAYS NAMES KEY
          openssl req $5 -keyout $1.key -out $1.csr -subj "/CN=$1"
          openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days $3 -out $1.pem \
            -extfile <(echo "subjectAltName=$4")
        }
        cd "$1"
        cp "$2"/{ca,server}.{pem,key} .
        authority clients; authority others
        leaf proxy ca 30 DNS:localhost,IP:127.0.0.1 "$ec"
        leaf rsa ca 30 DNS:localhost,IP:127.0.0.1 "-newkey rsa:2048 -nodes"
        leaf expired ca -1 DNS:localhost,IP:127.0.0.1 "$ec"
        leaf app clients 30 DNS:app "$ec"; leaf late clients -1 DNS:app "$ec"
        leaf stranger others 30 DNS:app "$ec"
        openssl req -x509 $ec -days 30 -keyout own.key -out own.pem -subj /CN=own
        chmod 600 *.key
        """

    private let scratch: Scratch

    init() async throws {
        scratch = try Scratch()
        let output = try await Command.run(["bash", "-c", Self.script, "bash", scratch.path("."), Self.laboratory])
        guard output.status == 0 else { throw CommandFailure(output: output) }
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

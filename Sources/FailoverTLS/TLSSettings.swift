import COpenSSL
package import FailoverCore

/// The files of a certificate and its private key, in PEM format. The certificate may be followed by its chain.
package struct TLSIdentity: Hashable, Sendable {
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// How clients of a route use TLS.
package struct TLSServerSettings: Hashable, Sendable {
    package var identity: TLSIdentity
    /// The file of the authorities that a client's certificate must be of; `nil`, the default, requests none.
    package var clientAuthorities: String?
    package var minVersion: TLSVersion
    /// Whether a client that names the protocols that it speaks must name PostgreSQL's.
    package var speaksPostgres: Bool
    /// How many tickets a client of TLS 1.3 gets. Default: 1.
    package var tickets: Int
    /// What tickets are for, besides the certificate: the name of the route. They are not accepted elsewhere.
    package var name: String

    package init(
        identity: TLSIdentity, clientAuthorities: String? = nil, minVersion: TLSVersion = .v12,
        speaksPostgres: Bool = false, tickets: Int = 1, name: String = ""
    ) {
        self.identity = identity
        self.clientAuthorities = clientAuthorities
        self.minVersion = minVersion
        self.speaksPostgres = speaksPostgres
        self.tickets = tickets
        self.name = name
    }

    /// The context of tickets. A session that was verified by other authorities cannot be resumed.
    func ticketContext(_ facts: CertificateFacts) throws(TLSFailure) -> [UInt8] {
        let authorities = try clientAuthorities.map { path throws(TLSFailure) in try PEM.text(of: path) } ?? ""
        let text = [name, facts.subject, minVersion.rawValue, authorities].joined(separator: "\0")
        var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard EVP_Digest(text, text.utf8.count, &hash, &count, EVP_sha256(), nil) == 1 else { throw .local() }
        return Array(hash.prefix(Int(min(count, UInt32(SSL_MAX_SID_CTX_LENGTH)))))
    }
}

/// How sessions to a server use TLS.
package struct TLSClientSettings: Hashable, Sendable {
    /// What is checked of the server's certificate.
    package enum Verification: Hashable, Sendable {
        case none
        /// A trusted authority has signed it.
        case authority
        /// It is also for this host name or IP address.
        case name(String)
    }

    package var verification: Verification
    /// The name that the server is asked for (SNI), if it may have several certificates: a host name, no IP address.
    package var serverName: String?
    /// The file of the trusted authorities; `nil`, the default, for the system's.
    package var authorities: String?
    /// The own certificate; none by default.
    package var identity: TLSIdentity?
    package var minVersion: TLSVersion
    /// Whether to name PostgreSQL's protocol.
    package var speaksPostgres: Bool

    package init(
        verification: Verification, serverName: String? = nil, authorities: String? = nil,
        identity: TLSIdentity? = nil, minVersion: TLSVersion = .v12,
        speaksPostgres: Bool = false
    ) {
        self.verification = verification
        self.serverName = serverName
        self.authorities = authorities
        self.identity = identity
        self.minVersion = minVersion
        self.speaksPostgres = speaksPostgres
    }

    /// The settings for a server of the configuration, with libpq's meanings; `nil` if it is used in clear text.
    ///
    /// With a file of authorities, `require` verifies them too, as libpq does.
    /// - Parameter endpoint: one of the server's endpoints.
    package init?(_ server: DatabaseServer, at endpoint: Endpoint) {
        guard server.tls != .disable else { return nil }
        guard case .tcp(let host, _) = endpoint else {
            // PostgreSQL has no TLS on a Unix socket. A MySQL login needs it if the client is within TLS.
            guard server.engine == .mysql else { return nil }
            self.init(verification: .none)
            return
        }
        let verification: Verification =
            switch server.tls {
            case .disable, .prefer: .none
            case .require: server.tlsAuthorities == nil ? .none : .authority
            case .verifyCA: .authority
            case .verifyFull: .name(host)
            }
        self.init(
            verification: verification, serverName: host, authorities: server.tlsAuthorities,
            speaksPostgres: server.engine == .postgres)
    }

    var peerName: String? { if case .name(let name) = verification { name } else { nil } }
}

/// The ciphers, in the order of preference: those that Mozilla calls intermediate, without finite-field groups. A client
/// without AES instructions gets ChaCha20 if it prefers it.
package enum TLSCiphers {
    /// For TLS 1.3.
    static let suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    /// For TLS 1.2.
    package static let list = """
        ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
        ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
        ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
        """
}

import COpenSSL
import FailoverCore
import FailoverSystem
import Glibc

/// What all sessions of a route's clients, or all sessions to a server, have in common: certificates, keys and limits.
///
/// It never changes. A reload makes a new one; sessions keep the one that they began with. Any thread can use it.
package final class TLSContext: Sendable {
    /// OpenSSL counts the references to a context, and its sessions only read it.
    nonisolated(unsafe) let pointer: OpaquePointer
    /// The own certificate; `nil` if there is none.
    package let certificate: CertificateFacts?
    /// The host name or IP address that the peer's certificate must be for; `nil` if it is not checked.
    let peerName: String?
    let peerNameIsLiteral: Bool
    /// The name that the server is asked for; SNI.
    let serverName: String?
    let isServer: Bool
    /// Whether the peer's certificate is checked, if it has one.
    let verifies: Bool
    /// Sessions refer to it by an unowned pointer of OpenSSL.
    private let tickets: TicketKeys?

    private init(pointer: OpaquePointer, certificate: CertificateFacts?, tickets: TicketKeys?) {
        self.pointer = pointer
        self.certificate = certificate
        self.tickets = tickets
        isServer = true
        verifies = true
        (peerName, serverName, peerNameIsLiteral) = (nil, nil, false)
    }

    private init(pointer: OpaquePointer, certificate: CertificateFacts?, _ settings: TLSClientSettings) {
        self.pointer = pointer
        self.certificate = certificate
        tickets = nil
        isServer = false
        verifies = settings.verification != .none
        peerName = settings.peerName
        peerNameIsLiteral = settings.peerName.map { IPText.bytes(of: $0) != nil } ?? false
        // An IP address is no name; RFC 6066 §3.
        serverName = settings.serverName.flatMap { IPText.bytes(of: $0) == nil ? $0 : nil }
    }

    deinit { SSL_CTX_free(pointer) }

    /// A context for sessions of clients.
    ///
    /// - Parameter tickets: the keys of session tickets; `nil` issues no tickets.
    package static func server(
        _ settings: TLSServerSettings, tickets: TicketKeys? = nil
    ) throws(TLSFailure) -> TLSContext {
        let draft = try Draft(TLS_server_method(), settings.minVersion)
        let facts = try draft.use(settings.identity)
        try draft.useCiphers(TLSCiphers.list)
        if let authorities = settings.clientAuthorities {
            try draft.trust(authorities, andRequest: true)
            SSL_CTX_set_verify(draft.pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        }
        if settings.speaksPostgres {
            SSL_CTX_set_alpn_select_cb(draft.pointer, selectPostgres, nil)
        }
        if let tickets {
            try draft.issueTickets(tickets, number: settings.tickets, context: settings.ticketContext(facts))
        } else {
            failover_tls_forbid_tickets(draft.pointer)
        }
        return TLSContext(pointer: draft.release(), certificate: facts, tickets: tickets)
    }

    /// A context for sessions to a server.
    package static func client(_ settings: TLSClientSettings) throws(TLSFailure) -> TLSContext {
        let draft = try Draft(TLS_client_method(), settings.minVersion)
        let facts: CertificateFacts? = if let identity = settings.identity { try draft.use(identity) } else { nil }
        // A server may be old.
        try draft.useCiphers(nil)
        if settings.verification == .none {
            SSL_CTX_set_verify(draft.pointer, SSL_VERIFY_NONE, nil)
        } else {
            SSL_CTX_set_verify(draft.pointer, SSL_VERIFY_PEER, nil)
            if let authorities = settings.authorities {
                try draft.trust(authorities, andRequest: false)
            } else {
                SSL_CTX_set_default_verify_paths(draft.pointer)
            }
        }
        if settings.speaksPostgres {
            // The list of protocols; RFC 7301 §3.1.
            let names = [UInt8(PostgresProtocol.name.utf8.count)] + PostgresProtocol.name.utf8
            guard SSL_CTX_set_alpn_protos(draft.pointer, names, UInt32(names.count)) == 0 else { throw .local() }
        }
        return TLSContext(pointer: draft.release(), certificate: facts, settings)
    }

    /// A client that sends a list without PostgreSQL's protocol talks to the wrong server.
    private static let selectPostgres:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
            UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
        ) -> Int32 = { _, chosen, length, offered, count, _ in
            let offered = UnsafeBufferPointer(start: offered, count: Int(count))
            var rest = offered[...]
            while let size = rest.popFirst(), rest.count >= Int(size) {
                let name = rest.prefix(Int(size))
                if name.elementsEqual(PostgresProtocol.name.utf8) {
                    chosen?.pointee = UnsafeBufferPointer(rebasing: name).baseAddress
                    length?.pointee = size
                    return SSL_TLSEXT_ERR_OK
                }
                rest = rest.dropFirst(Int(size))
            }
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
}

/// PostgreSQL's name in TLS, by which a server knows that the client does not speak another protocol to it.
enum PostgresProtocol {
    static let name = "postgresql"
}

// MARK: - A context in the making

/// A context of OpenSSL that is not complete yet.
private struct Draft: ~Copyable {
    let pointer: OpaquePointer

    init(_ method: OpaquePointer?, _ minVersion: TLSVersion) throws(TLSFailure) {
        _ = CryptoLibrary.survivesExit
        ERR_clear_error()
        guard let pointer = SSL_CTX_new(method) else { throw .local() }
        guard failover_tls_prepare(pointer, minVersion.number) == 1 else {
            SSL_CTX_free(pointer)
            throw .local()
        }
        self.pointer = pointer
    }

    deinit { SSL_CTX_free(pointer) }

    consuming func release() -> OpaquePointer {
        let pointer = pointer
        discard self
        return pointer
    }

    /// Takes a certificate, its chain and its key.
    ///
    /// - Returns: the facts about the certificate. It may have expired.
    borrowing func use(_ identity: TLSIdentity) throws(TLSFailure) -> CertificateFacts {
        let chain = try Certificate.all(inFile: identity.certificate)
        guard let facts = CertificateFacts(chain[0].pointer) else { throw .local(identity.certificate) }
        guard SSL_CTX_use_certificate(pointer, chain[0].pointer) == 1 else { throw .local(identity.certificate) }
        for certificate in chain.dropFirst() {
            guard failover_tls_add_chain(pointer, certificate.pointer) == 1 else {
                throw .local(identity.certificate)
            }
        }
        let text = try PEM.text(of: identity.key)
        let key = PEM.read(text) { PEM_read_bio_PrivateKey($0, nil, failover_tls_no_password, nil) } ?? nil
        guard let key else {
            let isEncrypted = text.contains("ENCRYPTED")
            ERR_clear_error()
            let problem =
                isEncrypted ? "the key is protected by a password" : "the file has no private key in PEM format"
            throw TLSFailure(.local, "\(identity.key): \(problem)")
        }
        defer { EVP_PKEY_free(key) }
        guard X509_check_private_key(chain[0].pointer, key) == 1 else {
            ERR_clear_error()
            throw TLSFailure(
                .local, "\(identity.key): the key does not belong to the certificate in \(identity.certificate)")
        }
        guard SSL_CTX_use_PrivateKey(pointer, key) == 1 else { throw .local(identity.key) }
        return facts
    }

    /// - Parameter ciphers: for TLS 1.2 as in ciphers(1); `nil` for OpenSSL's.
    borrowing func useCiphers(_ ciphers: String?) throws(TLSFailure) {
        guard SSL_CTX_set_ciphersuites(pointer, TLSCiphers.suites) == 1 else { throw .local("ciphers") }
        if let ciphers, SSL_CTX_set_cipher_list(pointer, ciphers) != 1 { throw .local("ciphers") }
    }

    /// Trusts the authorities of a file.
    ///
    /// - Parameter andRequest: whether clients get the names of these authorities.
    borrowing func trust(_ path: String, andRequest: Bool) throws(TLSFailure) {
        let authorities = try Certificate.all(inFile: path)
        guard let store = SSL_CTX_get_cert_store(pointer) else { throw .local(path) }
        for authority in authorities {
            guard X509_STORE_add_cert(store, authority.pointer) == 1 else { throw .local(path) }
            if andRequest, SSL_CTX_add_client_CA(pointer, authority.pointer) != 1 { throw .local(path) }
        }
    }

    borrowing func issueTickets(_ tickets: TicketKeys, number: Int, context: [UInt8]) throws(TLSFailure) {
        guard failover_tls_set_owner(pointer, Unmanaged.passUnretained(tickets).toOpaque()) == 1,
            SSL_CTX_set_tlsext_ticket_key_evp_cb(pointer, TicketKeys.callback) == 1,
            SSL_CTX_set_num_tickets(pointer, number) == 1,
            SSL_CTX_set_session_id_context(pointer, context, UInt32(context.count)) == 1
        else { throw .local("session tickets") }
        SSL_CTX_set_timeout(pointer, TicketKeys.lifetimeSeconds)
    }
}

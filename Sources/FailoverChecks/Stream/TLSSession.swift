import COpenSSL
import FailoverCore
import FailoverSystem

/// The client's side of one TLS session, between bytes in the clear and bytes on the wire; has no socket, never blocks.
///
/// The chain and the host name are always verified.
final class TLSSession {
    /// Why there is no TLS, in OpenSSL's words.
    struct Failure: Error {
        let reason: PingFailure.Reason
        let words: String
    }

    private let context: OpaquePointer
    private let session: OpaquePointer
    /// Owned by the session: what came from the wire, and what shall go there.
    private let (arrived, leaving): (OpaquePointer, OpaquePointer)

    /// A session not yet agreed on.
    ///
    /// - Parameters:
    ///   - host: name or IP literal that the certificate must be for.
    ///   - authorities: path of a PEM file with the authorities to trust; `nil` is the system's.
    init(host: String, authorities: String?) throws(Failure) {
        _ = CryptoLibrary.survivesExit
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Self.failure(.local) }
        guard let session = Self.verifyingSession(context, host: host) else {
            SSL_CTX_free(context)
            throw Self.failure(.local)
        }
        let arrived = BIO_new(BIO_s_mem())
        let leaving = BIO_new(BIO_s_mem())
        SSL_set_bio(session, arrived, leaving)
        guard let arrived, let leaving else {
            SSL_free(session)
            SSL_CTX_free(context)
            throw Self.failure(.local)
        }
        self.context = context
        self.session = session
        self.arrived = arrived
        self.leaving = leaving

        if let authorities {
            guard SSL_CTX_load_verify_locations(context, authorities, nil) == 1 else {
                throw Failure(reason: .local, words: "\(authorities): \(Self.failure(.local).words)")
            }
        } else {
            SSL_CTX_set_default_verify_paths(context)
        }
    }

    deinit {
        SSL_free(session)
        SSL_CTX_free(context)
    }

    /// Whether both sides have agreed; more bytes have to be exchanged if not.
    func handshake() throws(Failure) -> Bool {
        ERR_clear_error()
        let result = SSL_connect(session)
        if result == 1 { return true }
        if SSL_get_error(session, result) == SSL_ERROR_WANT_READ { return false }
        let verdict = SSL_get_verify_result(session)
        if verdict != Int(X509_V_OK), let words = X509_verify_cert_error_string(verdict) {
            ERR_clear_error()
            throw Failure(reason: .tls, words: "certificate not accepted: \(String(cString: words))")
        }
        throw Self.failure(.tls)
    }

    /// Takes bytes from the wire.
    func feed(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { _ = BIO_write(arrived, $0.baseAddress, Int32($0.count)) }
    }

    /// The bytes that shall go on the wire now.
    func takeLeaving() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(leaving))
        let count = BIO_read(leaving, &bytes, Int32(bytes.count))
        return Array(bytes.prefix(max(0, Int(count))))
    }

    /// Encrypts bytes.
    func write(_ bytes: [UInt8]) throws(Failure) {
        ERR_clear_error()
        guard !bytes.isEmpty, SSL_write(session, bytes, Int32(bytes.count)) <= 0 else { return }
        throw Self.failure(.tls)
    }

    /// Decrypts what has arrived; empty if more has to arrive, `nil` when the peer has ended the session.
    func read() throws(Failure) -> ArraySlice<UInt8>? {
        ERR_clear_error()
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = SSL_read(session, &buffer, Int32(buffer.count))
        if count > 0 { return buffer[..<Int(count)] }
        switch SSL_get_error(session, count) {
        case SSL_ERROR_WANT_READ: return []
        case SSL_ERROR_ZERO_RETURN: return nil
        default: throw Self.failure(.tls)
        }
    }

    /// Says goodbye.
    func end() {
        SSL_shutdown(session)
        ERR_clear_error()
    }

    private static func verifyingSession(_ context: OpaquePointer, host: String) -> OpaquePointer? {
        guard let session = SSL_new(context) else { return nil }
        SSL_set_verify(session, SSL_VERIFY_PEER, nil)
        SSL_set_hostflags(session, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        let isLiteral = IPText.bytes(of: host) != nil
        let isDone =
            isLiteral
            ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1
            : SSL_set1_host(session, host) == 1 && failover_ssl_ask_for(session, host) == 1
        if isDone { return session }
        SSL_free(session)
        return nil
    }

    private static func failure(_ reason: PingFailure.Reason) -> Failure {
        Failure(reason: reason, words: failover_ssl_error().map { String(cString: $0) } ?? "TLS failed")
    }
}

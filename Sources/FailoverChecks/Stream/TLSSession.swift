import COpenSSL
import FailoverCore
import FailoverSystem

/// The client side of a TLS session. It converts between clear-text bytes and encrypted bytes. It has no socket and
/// never blocks.
///
/// It always verifies the certificate chain and the host name.
final class TLSSession {
    /// The reason why TLS failed, with OpenSSL's message.
    struct Failure: Error {
        let reason: PingFailure.Reason
        let message: String
    }

    private let context: OpaquePointer
    private let session: OpaquePointer
    /// The encrypted bytes that have arrived, and those that must be sent. The session owns both buffers.
    private let (arrived, leaving): (OpaquePointer, OpaquePointer)

    /// Creates a session, before its handshake.
    ///
    /// - Parameters:
    ///   - host: the name or IP literal that the certificate must be for.
    ///   - authorities: the path of a PEM file with the trusted authorities; `nil` for the system's.
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
                throw Failure(reason: .local, message: "\(authorities): \(Self.failure(.local).message)")
            }
        } else {
            SSL_CTX_set_default_verify_paths(context)
        }
    }

    deinit {
        SSL_free(session)
        SSL_CTX_free(context)
    }

    /// Continues the handshake, and returns whether it is complete. If it is not, more bytes must be exchanged.
    func handshake() throws(Failure) -> Bool {
        ERR_clear_error()
        let result = SSL_connect(session)
        if result == 1 { return true }
        if SSL_get_error(session, result) == SSL_ERROR_WANT_READ { return false }
        let verdict = SSL_get_verify_result(session)
        if verdict != Int(X509_V_OK), let message = X509_verify_cert_error_string(verdict) {
            ERR_clear_error()
            throw Failure(reason: .tls, message: "certificate not accepted: \(String(cString: message))")
        }
        throw Self.failure(.tls)
    }

    /// Adds encrypted bytes that have arrived.
    func feed(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { _ = BIO_write(arrived, $0.baseAddress, Int32($0.count)) }
    }

    /// Returns the encrypted bytes to send, and removes them.
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

    /// Decrypts the bytes that have arrived; empty if more are needed, `nil` if the peer has ended the session.
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

    /// Ends the session with a closure alert.
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
        Failure(reason: reason, message: failover_ssl_error().map { String(cString: $0) } ?? "TLS failed")
    }
}

import COpenSSL
import FailoverCore
import FailoverSystem
import Glibc

/// One side of a TLS session on a non-blocking socket, which stays the caller's. The caller watches the socket's events.
///
/// ```
/// handshake() until it returns nil ─▶ receive, send ─▶ endSending() until it returns nil ─▶ receive until .ended
/// ```
/// OpenSSL's list of this thread's errors is empty outside of each call, and clearing it before each transfer would cost a
/// twentieth of it. So nothing else on the thread may leave errors there.
///
/// A call that could not complete waits for the socket's readiness that it returned, and is then repeated. A repeated
/// ``send(_:)`` must begin with the bytes that were not sent: OpenSSL has encrypted a part of them already.
package final class TLSChannel {
    private let session: OpaquePointer
    private let wire: UnsafeMutablePointer<failover_tls_wire>
    private let context: TLSContext
    /// What the next call of ``receive(into:)`` returns, because the bytes before it were returned first.
    private var outcome: TLSTransfer?
    /// Whether the next call of ``receive(into:)`` or ``handshake()`` may find more, without an event of the socket.
    package private(set) var mayHaveMore = false
    /// Why the session failed; `nil` if it has not.
    package private(set) var failure: TLSFailure?

    /// Calls of recv(2) in one call of ``receive(into:)``, and those of them that may yield no data: a peer could send
    /// updates of keys without end, and 16 KiB of them take milliseconds.
    private static let mostTurns: Int32 = 8
    private static let mostEmptyTurns = 1
    /// Calls of recv(2) in one call of ``handshake()``. An honest peer needs two for each of its few records.
    private static let mostHandshakeTurns: Int32 = 64

    /// The link to sockets. OpenSSL only reads it.
    nonisolated(unsafe) private static let linkKind: OpaquePointer? = failover_tls_wire_kind()

    /// A session before its handshake.
    ///
    /// - Parameters:
    ///   - descriptor: a non-blocking socket that stays open as long as the channel is used.
    ///   - received: bytes of the peer that were received from the socket already.
    ///   - resumption: what an earlier session to the same server has left.
    package init(
        _ context: TLSContext, descriptor: Int32, received: [UInt8] = [], resumption: TLSResumption? = nil
    ) throws(TLSFailure) {
        ERR_clear_error()
        guard let session = SSL_new(context.pointer) else { throw .local() }
        guard let wire = failover_tls_attach(session, Self.linkKind, descriptor, received, received.count),
            context.isServer || Self.prepare(session, context)
        else {
            SSL_free(session)
            throw .local()
        }
        self.session = session
        self.wire = wire
        self.context = context
        if context.isServer { SSL_set_accept_state(session) } else { SSL_set_connect_state(session) }
        if let resumption, resumption.context === context { SSL_set_session(session, resumption.pointer) }
    }

    deinit { SSL_free(session) }

    /// Asks for the server's name, and requires it where the certificate is verified.
    private static func prepare(_ session: OpaquePointer, _ context: TLSContext) -> Bool {
        if let name = context.serverName, failover_ssl_ask_for(session, name) != 1 { return false }
        guard let name = context.peerName else { return true }
        SSL_set_hostflags(session, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        return context.peerNameIsLiteral
            ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name) == 1 : SSL_set1_host(session, name) == 1
    }

    // MARK: - Handshake

    /// Continues the handshake, by at most one operation with the private key.
    ///
    /// - Returns: what the handshake waits for; `nil` when it is complete. Bytes may have arrived behind it: call
    ///   ``receive(into:)``.
    package func handshake() throws(TLSFailure) -> TLSReadiness? {
        ERR_clear_error()
        // What a handshake leaves would break the next transfer on this thread.
        defer { ERR_clear_error() }
        wire.pointee.turns = Self.mostHandshakeTurns
        wire.pointee.is_blocked = 0
        let result = SSL_do_handshake(session)
        if result == 1 {
            // OpenSSL does not check the certificate of a resumed session again.
            if context.verifies, isResumed, let problem = peerCertificate?.problem(at: .now) {
                let found = TLSFailure(.certificate, problem)
                failure = found
                throw found
            }
            mayHaveMore = true
            return nil
        }
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ where wire.pointee.turns > 0:
            mayHaveMore = wire.pointee.is_blocked == 0
            return .readable
        case SSL_ERROR_WANT_WRITE:
            mayHaveMore = false
            return .writable
        default: throw failed(inHandshake: true)
        }
    }

    // MARK: - Transfers

    /// Decrypts bytes that have arrived, up to the size of the buffer.
    package func receive(into buffer: UnsafeMutableRawBufferPointer) -> TLSTransfer {
        if let outcome {
            self.outcome = nil
            return outcome
        }
        wire.pointee.turns = Self.mostTurns
        var (total, empty) = (0, 0)
        while total < buffer.count {
            wire.pointee.is_blocked = 0
            var count = 0
            let result = SSL_read_ex(session, buffer.baseAddress?.advanced(by: total), buffer.count - total, &count)
            if result == 1 {
                total += count
                if wire.pointee.is_drained == 0 || SSL_has_pending(session) == 1 { continue }
                mayHaveMore = false
                return .bytes(total)
            }
            let next: TLSTransfer
            switch SSL_get_error(session, result) {
            case SSL_ERROR_WANT_READ where wire.pointee.is_blocked == 0 && empty < Self.mostEmptyTurns:
                // Records without data: tickets, updates of keys.
                empty += 1
                continue
            case SSL_ERROR_WANT_READ:
                let isPaused = wire.pointee.is_blocked == 0 || wire.pointee.turns <= 0
                mayHaveMore = isPaused
                return total > 0 ? .bytes(total) : isPaused ? .paused : .wouldBlock(until: .readable)
            case SSL_ERROR_WANT_WRITE:
                mayHaveMore = false
                next = .wouldBlock(until: .writable)
            case SSL_ERROR_ZERO_RETURN: next = wire.pointee.is_ended == 0 ? .ended : .truncated
            default: next = ended()
            }
            guard total > 0 else { return next }
            outcome = next
            mayHaveMore = true
            return .bytes(total)
        }
        mayHaveMore = true
        return .bytes(total)
    }

    /// Encrypts and sends as many of the bytes as the socket accepts.
    package func send(_ bytes: UnsafeRawBufferPointer) -> TLSTransfer {
        guard bytes.count > 0 else { return .bytes(0) }
        var sent = 0
        while sent < bytes.count {
            var count = 0
            let result = SSL_write_ex(session, bytes.baseAddress?.advanced(by: sent), bytes.count - sent, &count)
            if result == 1 {
                sent += count
                continue
            }
            if sent > 0 {
                ERR_clear_error()
                break
            }
            switch SSL_get_error(session, result) {
            case SSL_ERROR_WANT_READ: return .wouldBlock(until: .readable)
            case SSL_ERROR_WANT_WRITE: return .wouldBlock(until: .writable)
            default: return ended()
            }
        }
        return .bytes(sent)
    }

    /// Ends the sending direction: a closure alert, then the end of the stream. All bytes must have been sent.
    ///
    /// - Returns: what it waits for; `nil` when it is done or has failed.
    package func endSending() -> TLSReadiness? {
        ERR_clear_error()
        if mayClose {
            let result = SSL_shutdown(session)
            if result < 0, SSL_get_error(session, result) == SSL_ERROR_WANT_WRITE { return .writable }
            ERR_clear_error()
        }
        shutdown(wire.pointee.socket, Int32(SHUT_WR))
        return nil
    }

    /// Whether the closure alert is still to be sent. A session that has failed has none.
    private var mayClose: Bool {
        guard failure == nil, SSL_is_init_finished(session) == 1 else { return false }
        return SSL_get_shutdown(session) & SSL_SENT_SHUTDOWN == 0 || SSL_want(session) == SSL_WRITING
    }

    /// Whether there are bytes or an end of stream to receive. It may also be a part of a record, or one without data.
    package var hasMore: Bool {
        if mayHaveMore || outcome != nil || wire.pointee.early != nil || SSL_has_pending(session) == 1 { return true }
        var byte: UInt8 = 0
        return recv(wire.pointee.socket, &byte, 1, Int32(MSG_PEEK)) >= 0
    }

    // MARK: - Failures

    /// The session has ended without a closure alert, or has failed.
    private func ended() -> TLSTransfer {
        defer { ERR_clear_error() }
        let code = wire.pointee.code
        failure = failure ?? failed(inHandshake: false)
        return .failed(code == 0 ? EPROTO : code)
    }

    private func failed(inHandshake: Bool) -> TLSFailure {
        let reason = TLSFailure.takeReason()
        let verdict = SSL_get_verify_mode(session) == SSL_VERIFY_NONE ? Int(X509_V_OK) : SSL_get_verify_result(session)
        let found: TLSFailure
        if wire.pointee.code != 0 {
            found = TLSFailure(.connection, String(cString: strerror(wire.pointee.code)))
        } else if wire.pointee.is_ended != 0 {
            found = TLSFailure(.connection, "the peer closed the connection during the TLS handshake")
        } else if inHandshake, verdict != Int(X509_V_OK), let text = X509_verify_cert_error_string(verdict) {
            found = TLSFailure(.certificate, "certificate not accepted: \(String(cString: text))")
        } else {
            found = TLSFailure(.peer, reason ?? "the peer sends too much in the TLS handshake")
        }
        failure = found
        return found
    }
}

// MARK: - What the handshake has agreed on

extension TLSChannel {
    /// `TLSv1.3`
    package var version: String { SSL_get_version(session).map { String(cString: $0) } ?? "" }

    /// `TLS_AES_128_GCM_SHA256`
    package var cipher: String {
        SSL_CIPHER_get_name(SSL_get_current_cipher(session)).map { String(cString: $0) } ?? ""
    }

    /// The certificate of the peer; `nil` if it has presented none.
    package var peerCertificate: CertificateFacts? { CertificateFacts(peerOf: session) }

    /// Whether an earlier session was resumed, without certificates.
    package var isResumed: Bool { SSL_session_reused(session) == 1 }

    /// Whether the peers have agreed on PostgreSQL's protocol. A client that begins TLS without a request for it must do
    /// so; chapter "SSL Session Encryption".
    package var speaksPostgres: Bool {
        var (name, length): (UnsafePointer<UInt8>?, UInt32) = (nil, 0)
        SSL_get0_alpn_selected(session, &name, &length)
        return UnsafeBufferPointer(start: name, count: Int(length)).elementsEqual(PostgresProtocol.name.utf8)
    }

    /// What a later session to the same server can resume; `nil` if the server allows none, as PostgreSQL. In TLS 1.3 it
    /// arrives after the handshake, with the first bytes.
    package var resumption: TLSResumption? {
        // A copy: OpenSSL spoils the original if this session ends without a closure.
        guard let current = SSL_get_session(session), SSL_SESSION_is_resumable(current) == 1,
            let copy = SSL_SESSION_dup(current)
        else { return nil }
        return TLSResumption(owning: copy, context: context)
    }
}

/// What a session to a server has left for later ones. It is only valid with the same ``TLSContext``: a resumed session
/// is not verified again.
package final class TLSResumption {
    let pointer: OpaquePointer
    package let context: TLSContext

    fileprivate init(owning pointer: OpaquePointer, context: TLSContext) {
        self.pointer = pointer
        self.context = context
    }

    deinit { SSL_SESSION_free(pointer) }
}

import COpenSSL
import FailoverCore
import FailoverTLS
import Foundation
import Testing

/// A client that uses OpenSSL directly, and may do what a channel never does.
final class RawPeer {
    let session: OpaquePointer
    private let context: OpaquePointer
    private(set) var error: String?

    /// - Parameters:
    ///   - highest: the highest version; older ones than 1.2 by number.
    ///   - ciphers: for TLS 1.2 and older.
    init(
        descriptor: Int32, highest: TLSVersion = .v13, number: Int32? = nil, protocols: [String] = [],
        resumes earlier: OpaquePointer? = nil
    ) {
        context = SSL_CTX_new(TLS_client_method())
        let number = number ?? (highest == .v12 ? TLS1_2_VERSION : TLS1_3_VERSION)
        SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0")
        // SSL_CTX_set_min_proto_version and SSL_CTX_set_max_proto_version, which are macros.
        SSL_CTX_ctrl(context, 123, Int(TLS1_VERSION), nil)
        SSL_CTX_ctrl(context, 124, Int(number), nil)
        session = SSL_new(context)
        SSL_set_fd(session, descriptor)
        SSL_set_connect_state(session)
        let names = protocols.flatMap { [UInt8($0.utf8.count)] + $0.utf8 }
        if !names.isEmpty { SSL_set_alpn_protos(session, names, UInt32(names.count)) }
        if let earlier { SSL_set_session(session, earlier) }
    }

    deinit {
        SSL_free(session)
        SSL_CTX_free(context)
        ERR_clear_error()
    }

    /// Continues the handshake. Returns whether it is complete.
    @discardableResult
    func handshake() -> Bool { check(SSL_do_handshake(session)) }

    @discardableResult
    func write(_ text: String) -> Bool { check(SSL_write(session, text, Int32(text.utf8.count))) }

    func read() -> String? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = SSL_read(session, &buffer, Int32(buffer.count))
        _ = check(count)
        return count > 0 ? String(decoding: buffer[..<Int(count)], as: UTF8.self) : nil
    }

    func end() { _ = check(SSL_shutdown(session)) }

    func updateKeys(_ kind: Int32) {
        SSL_key_update(session, kind)
        _ = check(SSL_do_handshake(session))
    }

    private func check(_ result: Int32) -> Bool {
        if result > 0 { return true }
        let kind = SSL_get_error(session, result)
        if kind == SSL_ERROR_SSL { error = failover_ssl_error().map { String(cString: $0) } }
        ERR_clear_error()
        return false
    }
}

extension RawPeer {
    /// Completes the handshake with a channel, or returns how the channel failed.
    @discardableResult
    func shakeHands(with channel: TLSChannel) -> TLSFailure? {
        var isWaiting = true
        for _ in 0..<10 {
            let isReady = handshake()
            do {
                if isWaiting { isWaiting = try channel.handshake() != nil }
            } catch {
                handshake()
                return error
            }
            if isReady, !isWaiting { return nil }
        }
        return nil
    }
}

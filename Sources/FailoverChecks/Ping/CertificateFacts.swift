import COpenSSL
package import FailoverCore
import FailoverSystem
import Glibc

/// The subject and the expiry date of a certificate.
package struct CertificateFacts: Hashable, Sendable {
    /// `/CN=db1.internal`
    package var subject: String
    package var ends: WallTime

    package init(subject: String, ends: WallTime) {
        self.subject = subject
        self.ends = ends
    }

    /// The certificates in the text of a PEM file, without the invalid ones.
    package static func all(inPEM text: String) -> [CertificateFacts] {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { bytes in
            guard let source = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return [] }
            defer { BIO_free(source) }
            var found: [CertificateFacts] = []
            while let certificate = PEM_read_bio_X509(source, nil, nil, nil) {
                if let facts = CertificateFacts(certificate) { found.append(facts) }
                X509_free(certificate)
            }
            ERR_clear_error()
            return found
        }
    }

    /// The certificate that the peer of an OpenSSL session has presented.
    package init?(peerOf session: OpaquePointer) {
        guard let certificate = SSL_get1_peer_certificate(session) else { return nil }
        defer { X509_free(certificate) }
        self.init(certificate)
    }

    private init?(_ certificate: OpaquePointer) {
        var parts = tm()
        guard let end = X509_get0_notAfter(certificate), ASN1_TIME_to_tm(end, &parts) == 1 else { return nil }
        var name = [CChar](repeating: 0, count: 256)
        X509_NAME_oneline(X509_get_subject_name(certificate), &name, Int32(name.count))
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        self.init(
            subject: String(decoding: bytes, as: UTF8.self).asOneLine(),
            ends: WallTime(sinceEpoch: .seconds(timegm(&parts))))
    }
}

extension TLSFacts {
    /// The facts of an OpenSSL session that is established.
    init(of session: OpaquePointer) {
        self.init(
            version: String(cString: SSL_get_version(session)), certificateEnds: CertificateFacts(peerOf: session)?.ends
        )
    }
}

/// The latest TLS session that a C library has created on this thread. The library does not give access to it.
///
/// Every use of the shim's record must be in this file, because the record is local to the thread and to the file. If a
/// library contains its own copy of OpenSSL, its sessions are not recorded.
enum LatestTLSSession {
    private static let isWatched: Bool = {
        _ = CryptoLibrary.survivesExit
        return failover_ssl_watch() >= 0
    }()

    /// Forgets the sessions of this thread so far, and starts recording.
    static func forget() {
        _ = isWatched
        failover_ssl_latest().pointee = nil
    }

    /// The session. Valid only while the connection that it belongs to is open.
    static var current: OpaquePointer? { failover_ssl_latest().pointee }
}

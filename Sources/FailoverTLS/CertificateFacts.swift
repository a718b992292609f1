import COpenSSL
package import FailoverCore
import FailoverSystem
import Glibc

/// The subject and the validity of a certificate.
package struct CertificateFacts: Hashable, Sendable {
    /// `/CN=db1.internal`
    package var subject: String
    package var begins: WallTime
    package var ends: WallTime
    /// The hash that SCRAM binds a login to, `tls-server-end-point`; RFC 5929 §4. `nil` if the certificate's signature
    /// has no hash of its own, as with Ed25519: PostgreSQL then has no channel binding.
    package var endPoint: [UInt8]?

    package init(
        subject: String, begins: WallTime = WallTime(sinceEpoch: .zero), ends: WallTime, endPoint: [UInt8]? = nil
    ) {
        self.subject = subject
        self.begins = begins
        self.ends = ends
        self.endPoint = endPoint
    }

    /// The certificates in the text of a PEM file, without the invalid ones.
    package static func all(inPEM text: String) -> [CertificateFacts] {
        let certificates = Certificate.all(inPEM: text)
        defer { ERR_clear_error() }
        return certificates.compactMap { CertificateFacts($0.pointer) }
    }

    /// Why peers do not accept the certificate at this time; `nil` if it is valid.
    package func problem(at now: WallTime) -> String? {
        if now.sinceEpoch > ends.sinceEpoch { return "the certificate \(subject) expired on \(ends.text)" }
        if now.sinceEpoch < begins.sinceEpoch { return "the certificate \(subject) is not valid before \(begins.text)" }
        return nil
    }

    /// The certificate that the peer of an OpenSSL session has presented.
    package init?(peerOf session: OpaquePointer) {
        guard let certificate = SSL_get1_peer_certificate(session) else { return nil }
        defer {
            X509_free(certificate)
            ERR_clear_error()
        }
        self.init(certificate)
    }

    init?(_ certificate: OpaquePointer) {
        guard let begins = Self.time(X509_get0_notBefore(certificate)),
            let ends = Self.time(X509_get0_notAfter(certificate))
        else { return nil }
        var name = [CChar](repeating: 0, count: 256)
        X509_NAME_oneline(X509_get_subject_name(certificate), &name, Int32(name.count))
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        self.init(
            subject: String(decoding: bytes, as: UTF8.self).asOneLine(), begins: begins, ends: ends,
            endPoint: Self.endPoint(of: certificate))
    }

    private static func time(_ time: UnsafePointer<ASN1_TIME>?) -> WallTime? {
        var parts = tm()
        guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return WallTime(sinceEpoch: .seconds(timegm(&parts)))
    }

    /// The hash is that of the certificate's signature, and SHA-256 for one that is no longer safe.
    private static func endPoint(of certificate: OpaquePointer) -> [UInt8]? {
        var digest = NID_undef
        guard X509_get_signature_info(certificate, &digest, nil, nil, nil) == 1, digest != NID_undef else { return nil }
        if digest == NID_md5 || digest == NID_sha1 { digest = NID_sha256 }
        guard let kind = EVP_get_digestbyname(OBJ_nid2sn(digest)) else { return nil }
        var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard X509_digest(certificate, kind, &hash, &count) == 1 else { return nil }
        return Array(hash.prefix(Int(count)))
    }
}

/// A certificate of OpenSSL. It is freed when the last reference goes away.
final class Certificate {
    let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { X509_free(pointer) }

    /// The certificates in the text of a PEM file, up to the first invalid one.
    static func all(inPEM text: String) -> [Certificate] {
        PEM.read(text) { source in
            var found: [Certificate] = []
            while let pointer = PEM_read_bio_X509(source, nil, failover_tls_no_password, nil) {
                found.append(Certificate(owning: pointer))
            }
            return found
        } ?? []
    }

    /// The certificates of a file.
    ///
    /// - Throws: a failure with the path, if the file cannot be read or has no certificate.
    static func all(inFile path: String) throws(TLSFailure) -> [Certificate] {
        let found = all(inPEM: try PEM.text(of: path))
        // The last error is always that there is no further certificate.
        let error = ERR_peek_last_error()
        let isEnd = Int32(truncatingIfNeeded: error & 0x7f_ffff) == PEM_R_NO_START_LINE
        guard isEnd else { throw .local("\(path): certificate \(found.count + 1)") }
        ERR_clear_error()
        guard !found.isEmpty else { throw TLSFailure(.local, "\(path): the file has no certificate in PEM format") }
        return found
    }
}

/// Files in PEM format.
enum PEM {
    /// The text of a file.
    static func text(of path: String) throws(TLSFailure) -> String {
        do {
            return try SmallFile(path: path, maximumSize: 4 << 20).text
        } catch {
            throw TLSFailure(.local, "\(path): \(error)")
        }
    }

    /// Calls `body` with the text as a source of OpenSSL; `nil` without memory.
    static func read<R>(_ text: String, _ body: (OpaquePointer) -> R) -> R? {
        _ = CryptoLibrary.survivesExit
        var text = text
        return text.withUTF8 { bytes in
            guard let source = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
            defer { BIO_free(source) }
            return body(source)
        }
    }
}

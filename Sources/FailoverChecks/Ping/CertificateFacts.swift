import COpenSSL
import FailoverCore
import FailoverSystem
import FailoverTLS

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

import COpenSSL
import FailoverSystem

/// The TLS session that a C library has made last on this thread, which it keeps to itself.
///
/// Every call of the shim's watch stands in this file: what it notes belongs to the thread and to the file. A library that
/// brings an OpenSSL of its own makes sessions that nobody hears of.
enum LatestTLSSession {
    private static let isWatched: Bool = {
        _ = CryptoLibrary.survivesExit
        return failover_ssl_watch() >= 0
    }()

    /// Forgets what was made on this thread so far; from now on sessions are noted.
    static func forget() {
        _ = isWatched
        failover_ssl_latest().pointee = nil
    }

    /// The session; to be used while the connection that it belongs to is open, and no later.
    static var current: OpaquePointer? { failover_ssl_latest().pointee }
}

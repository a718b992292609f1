import Glibc

/// OpenSSL, which several C libraries load.
package enum CryptoLibrary {
    /// Keeps OpenSSL from tearing itself down when the process exits: a ping that is in the middle of it on another
    /// thread would crash. To be read before anything else uses OpenSSL; without effect after.
    package static let survivesExit: Bool = {
        // OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL), by name: nothing here is built against OpenSSL.
        typealias Initialiser = @convention(c) (UInt64, OpaquePointer?) -> Int32
        guard let symbol = dlsym(nil, "OPENSSL_init_crypto") else { return false }
        return unsafeBitCast(symbol, to: Initialiser.self)(0x80000, nil) == 1
    }()
}

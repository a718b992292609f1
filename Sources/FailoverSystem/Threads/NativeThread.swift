import CLinux
import Glibc

/// A detached POSIX thread that runs one closure. When the process exits, it does not wait for the thread.
package enum NativeThread {
    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    /// Starts a thread with all signals blocked. Other threads handle the signals.
    ///
    /// - Parameters:
    ///   - name: the name that tools show. Only its first 15 bytes are used.
    ///   - stackSize: in bytes; 0 (default) is the system's default.
    /// - Throws: the error of pthread_create(3).
    package static func start(
        name: String, stackSize: Int = 0, _ run: sending @escaping () -> Void
    ) throws(SystemError) {
        let body = Unmanaged.passRetained(Body(run))
        let code = clinux_start_thread(
            name, stackSize,
            { argument in if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() } },
            body.toOpaque())
        guard code == 0 else {
            body.release()
            throw SystemError(code, of: "pthread_create")
        }
    }
}

/// OpenSSL, which several C libraries load.
package enum CryptoLibrary {
    /// Prevents OpenSSL from cleaning up when the process exits, because a ping that uses OpenSSL on another thread at
    /// that time would crash. Read this property before OpenSSL is used; later it has no effect.
    package static let survivesExit: Bool = {
        // OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL), looked up by name because this module does not link
        // OpenSSL.
        typealias Initialiser = @convention(c) (UInt64, OpaquePointer?) -> Int32
        guard let symbol = dlsym(nil, "OPENSSL_init_crypto") else { return false }
        return unsafeBitCast(symbol, to: Initialiser.self)(0x80000, nil) == 1
    }()
}

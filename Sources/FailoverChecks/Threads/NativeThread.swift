import CLinux

/// A detached POSIX thread that runs one closure. The process does not wait for it when it exits.
enum NativeThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// C libraries look up names, read certificates and compute hashes on it; none of that needs more.
    private static let stackSize = 1 << 20

    /// Starts a thread on which every signal is blocked; they belong to the threads that wait for them.
    ///
    /// - Returns: zero, or the error number of pthread_create(3).
    static func start(_ run: @escaping @Sendable () -> Void) -> Int32 {
        let body = Unmanaged.passRetained(Body(run))
        let error = clinux_start_thread(
            "ping", stackSize,
            { argument in if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() } },
            body.toOpaque())
        if error != 0 { body.release() }
        return error
    }
}

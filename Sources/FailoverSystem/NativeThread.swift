import CLinux

/// A detached POSIX thread that runs one closure. The process does not wait for it when it exits.
package enum NativeThread {
    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    /// Starts a thread on which every signal is blocked; they belong to the threads that wait for them.
    ///
    /// - Parameters:
    ///   - name: what tools show, 15 bytes of it.
    ///   - stackSize: in bytes; the system's default unless given.
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

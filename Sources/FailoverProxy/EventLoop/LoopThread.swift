import CLinux

/// Runs a function on a thread of its own that takes no signals.
enum LoopThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func start(name: String, _ run: @escaping @Sendable () -> Void) throws(SystemError) {
        let body = Unmanaged.passRetained(Body(run))
        let code = clinux_start_thread(
            name, 0, { argument in if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() } },
            body.toOpaque())
        guard code == 0 else {
            body.release()
            throw SystemError("pthread_create", code: code)
        }
    }
}

import Synchronization

/// A value that one thread at a time may touch: Synchronization's `Mutex`.
///
/// The contended path of `Mutex` lies in the standard library, which is built without ThreadSanitizer, so the sanitizer
/// misses the order that the lock makes. In builds for it (`THREAD_SANITIZER`, see `scripts/test`) each holder therefore
/// also reads what the former one wrote to an atomic that the sanitizer sees.
public struct Lock<Value: ~Copyable>: ~Copyable, Sendable {
    private let mutex: Mutex<Value>
    #if THREAD_SANITIZER
        private let order = Atomic<Bool>(false)
    #endif

    public init(_ value: consuming sending Value) {
        mutex = Mutex(value)
    }

    /// Runs `body` while no other thread does. It must not wait, and not take the same lock.
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        #if THREAD_SANITIZER
            try mutex.withLock { (value: inout sending Value) throws(Failure) -> sending Result in
                _ = order.load(ordering: .acquiring)
                defer { order.store(true, ordering: .releasing) }
                return try body(&value)
            }
        #else
            try mutex.withLock(body)
        #endif
    }
}

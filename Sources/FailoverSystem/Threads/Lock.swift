import Synchronization

/// A value that only one thread at a time can use: Synchronization's `Mutex`.
///
/// The contended path of `Mutex` is in the standard library, which is built without ThreadSanitizer. The sanitizer
/// therefore misses the ordering of the lock. In builds for the sanitizer (`THREAD_SANITIZER`, see `scripts/test`),
/// each holder also reads an atomic that the previous holder wrote. The sanitizer sees that.
package struct Lock<Value: ~Copyable>: ~Copyable, Sendable {
    private let mutex: Mutex<Value>
    #if THREAD_SANITIZER
        private let order = Atomic<Bool>(false)
    #endif

    package init(_ value: consuming sending Value) {
        mutex = Mutex(value)
    }

    /// Runs `body` with exclusive access to the value. `body` must not block and must not take the same lock.
    package borrowing func withLock<Result: ~Copyable, Failure: Error>(
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

/// A fixed number of slots. Any thread can take and leave them.
package final class ConcurrencyLimit: Sendable {
    private let taken = Atomic<Int>(0)
    private let limit: Int

    package init(limit: Int) { self.limit = limit }

    /// Takes a slot, if one is free.
    package func take() -> Bool {
        guard taken.add(1, ordering: .relaxed).newValue <= limit else {
            leave()
            return false
        }
        return true
    }

    /// Frees a slot.
    package func leave() { taken.subtract(1, ordering: .relaxed) }
}

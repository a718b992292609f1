import Glibc

/// Gives signals back what they do by default.
package enum DefaultSignals {
    /// From now on each of the signals ends the process, or does what else signal(7) says is its default; all of them end
    /// the first process of a container.
    ///
    /// The disposition alone is not enough: libdispatch's signal sources block their signals on every thread that ever
    /// took one, and where no thread is left that can take it, signalfd(2) swallows it. So a thread waits for them.
    ///
    /// - Throws: the error of pthread_create(3). The calling thread takes the signals then, as long as it lives.
    package static func restore(_ numbers: [Int32]) throws(SystemError) {
        if FirstProcess.isThisOne {
            FirstProcess.end(on: numbers)
        } else {
            for number in numbers { signal(number, SIG_DFL) }
        }
        do {
            try NativeThread.start(name: "signals", stackSize: 1 << 16) {
                unblock(numbers)
                while true { pause() }
            }
        } catch {
            unblock(numbers)
            throw error
        }
    }

    private static func unblock(_ numbers: [Int32]) {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in numbers { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
}

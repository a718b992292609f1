import Dispatch
import FailoverCore
import Glibc

/// Restores the default actions of signals.
package enum DefaultSignals {
    /// Restores the default action of each signal; signal(7). The first process of a container has no default actions:
    /// there, each signal ends the process.
    ///
    /// Setting the disposition is not sufficient. libdispatch's signal sources block their signals on every thread
    /// that ever handled one, so a separate thread waits for the signals. signalfd(2) may be faster than that
    /// thread, so each signal that a source reads is raised again.
    ///
    /// - Throws: the error of pthread_create(3). In this case the calling thread receives the signals until it ends.
    package static func restore(_ numbers: [Int32]) throws(SystemError) {
        if FirstProcess.isThisOne {
            FirstProcess.end(on: numbers)
        } else {
            for number in numbers { signal(number, SIG_DFL) }
        }
        sources.withLock { $0 += numbers.map(source) }
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

    /// The signal sources that ``restore(_:)`` has created.
    private static let sources = Lock<[any DispatchSourceSignal]>([])

    private static func source(_ number: Int32) -> any DispatchSourceSignal {
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
            unblock([number])
            raise(number)
        }
        source.activate()
        return source
    }

    private static func unblock(_ numbers: [Int32]) {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in numbers { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
}

import Dispatch
import FailoverCore
import Glibc

/// Gives signals back what they do by default.
package enum DefaultSignals {
    /// From now on each of the signals ends the process, or does what else signal(7) says is its default; all of them end
    /// the first process of a container.
    ///
    /// The disposition alone is not enough: libdispatch's signal sources block their signals on every thread that ever
    /// took one, so a thread waits for them; and signalfd(2) may be quicker than that thread, so what it reads is sent
    /// to the thread that hears of it.
    ///
    /// - Throws: the error of pthread_create(3). The calling thread takes the signals then, as long as it lives.
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

    /// Those that were made here.
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

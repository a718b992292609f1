import FailoverCore
import FailoverSystem
import Glibc
import UnixSignals

/// Notes the first signal that asks to end; a second one ends the process.
final class Interruption: Sendable {
    private let first = Lock<String?>(nil)

    /// Traps them from now on.
    init() async {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        Task {
            for await signal in signals {
                first.withLock { $0 = "\(signal)" }
                try? DefaultSignals.restore([SIGINT, SIGTERM, SIGHUP])
                return
            }
        }
    }

    /// Its name; `nil` while there was none.
    var signal: String? { first.withLock { $0 } }
}

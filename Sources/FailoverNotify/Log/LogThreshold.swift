import FailoverCore
package import Logging

/// The level from which on lines are written, shared by all loggers of an output; may change while they log.
package final class LogThreshold: Sendable {
    private let value: Lock<Logger.Level>

    package init(_ level: Logger.Level) { value = Lock(level) }

    package var level: Logger.Level {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}

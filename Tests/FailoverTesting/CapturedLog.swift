import FailoverCore
import FailoverSystem
public import Logging

/// A log that a test reads.
public final class CapturedLog: Sendable {
    private let events = Lock<[(line: String, metadata: [String: String])]>([])

    public init() {}

    /// `level message`, in order.
    public var lines: [String] { events.withLock { $0.map(\.line) } }
    /// The metadata of each line.
    public var metadata: [[String: String]] { events.withLock { $0.map(\.metadata) } }

    /// A logger whose lines at info and above end up here.
    public var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: CapturedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = (event.metadata ?? [:]).mapValues { "\($0)" }
            log.events.withLock { $0.append(("\(event.level.rawValue) \(event.message)", metadata)) }
        }
    }
}

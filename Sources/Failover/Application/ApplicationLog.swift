import FailoverNotify
public import Logging

/// The log that a configuration asks for, on standard error.
public struct ApplicationLog: Sendable {
    public let logger: Logger
    private let output: LogOutput

    public init(_ configuration: LogConfiguration) {
        let output = LogOutput()
        self.output = output
        logger = Logger(label: "failover") { _ in TextLogHandler(level: configuration.level, output: output) }
    }

    /// Waits until all lines are written, a second at the most.
    public func flush() { output.flush(within: .seconds(1)) }
}

public import Logging

/// The `log` section.
public struct LogConfiguration: Hashable, Sendable {
    /// The form of a log line.
    public enum Format: String, Hashable, Sendable, CaseIterable {
        /// Lines for people.
        case text
        /// A JSON object a line, for machines.
        case json
    }

    /// The least important level that is logged; `info` by default.
    public var level: Logger.Level
    /// `text` by default.
    public var format: Format

    public init(level: Logger.Level = .info, format: Format = .text) {
        self.level = level
        self.format = format
    }
}

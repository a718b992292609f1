/// One mistake in a configuration file.
public struct ConfigurationProblem: Error, Hashable, Sendable {
    /// The file, as it was named when it was loaded.
    public let file: String
    /// The line of the mistake, from 1; `nil` if it has none, as that of an unreadable file.
    public let line: Int?
    /// `services.slave.listen[1]`; empty for the file as a whole.
    public let keyPath: String
    /// What is wrong and what would be right. Never holds a secret.
    public let message: String

    public init(file: String, line: Int?, keyPath: String, message: String) {
        self.file = file
        self.line = line
        self.keyPath = keyPath
        self.message = message
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// `failover.yaml:12: services.slave.listen: …`, as compilers write it.
    public var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        return keyPath.isEmpty ? "\(place): \(message)" : "\(place): \(keyPath): \(message)"
    }
}

/// A change of a service's decided state, or the reminder of one that lasts.
public struct FailoverEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The service went down.
        case outage(PingFailure)
        /// It is still down.
        case reminder(PingFailure, lasting: Duration)
        /// It is back, after that long.
        case recovery(after: Duration)
    }

    /// Name of the service.
    public let service: String
    public let kind: Kind
    /// The process that decided; every proxy decides for itself.
    public let processID: Int32

    public init(service: String, kind: Kind, processID: Int32) {
        self.service = service
        self.kind = kind
        self.processID = processID
    }

    /// The log line of the event, word for word as the older library wrote it.
    public var message: String {
        switch kind {
        case .outage, .reminder: "\(service) outage. Failover initiated. (Process ID: \(processID))"
        case .recovery: "\(service) is back up. Recovery complete. (Process ID: \(processID))"
        }
    }
}

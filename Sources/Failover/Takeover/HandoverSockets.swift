import FailoverProxy
import FailoverSystem

/// Open listening sockets that this process receives from another process or from systemd.
public struct HandoverSockets: Sendable {
    let listeners: [ReceivedListener]
    let predecessor: HandoverClient?

    /// No sockets.
    public init() { (listeners, predecessor) = ([], nil) }

    private init(listeners: [ReceivedListener], predecessor: HandoverClient?) {
        self.listeners = listeners
        self.predecessor = predecessor
    }

    /// The sockets on which systemd listens for this process; see sd_listen_fds(3). A route uses the sockets that have
    /// its addresses. Call this once.
    public static func fromServiceManager() -> HandoverSockets {
        HandoverSockets(
            listeners: SystemdSockets.take().compactMap { ReceivedListener(owning: $0, ownsPath: false) },
            predecessor: nil)
    }

    /// Takes over from the process that runs with the same `takeover_socket`; `nil` if there is none. This blocks for
    /// at most ten seconds.
    ///
    /// - Throws: an error whose description is one line for the operator.
    public static func takingOver(_ configuration: Configuration) throws -> HandoverSockets? {
        guard let path = configuration.takeoverSocket else {
            throw OperationError.takeover("the configuration has no `takeover_socket`")
        }
        return try HandoverClient(path: path).map { HandoverSockets(listeners: $0.listeners, predecessor: $0) }
    }
}

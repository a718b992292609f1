import FailoverProxy
import FailoverSystem

/// What another process had open, and this one goes on with.
public struct Inheritance: Sendable {
    let listeners: [ReceivedListener]
    let predecessor: Predecessor?

    /// Nothing.
    public init() { (listeners, predecessor) = ([], nil) }

    private init(listeners: [ReceivedListener], predecessor: Predecessor?) {
        self.listeners = listeners
        self.predecessor = predecessor
    }

    /// The sockets that systemd listens at on behalf of this process: sd_listen_fds(3). Routes take those that listen
    /// where they do. To be called once.
    public static func fromServiceManager() -> Inheritance {
        Inheritance(
            listeners: SystemdSockets.take().compactMap { ReceivedListener(owning: $0, ownsPath: false) },
            predecessor: nil)
    }

    /// The place of the process that runs with the same `takeover_socket`; `nil` when none does. Blocks, for ten seconds
    /// at most.
    ///
    /// - Throws: an error whose description is one line for the operator.
    public static func takingOver(_ configuration: Configuration) throws -> Inheritance? {
        guard let path = configuration.takeoverSocket else {
            throw TakeoverError(words: "the configuration has no `takeover_socket`")
        }
        return try Predecessor(path: path).map { Inheritance(listeners: $0.listeners, predecessor: $0) }
    }
}

import FailoverCore
package import FailoverProxy
import FailoverSystem
import Glibc

/// A connection to the running process that this one replaces. The former process sends its listening sockets, serves
/// until this process does, and then lets its sessions end.
package final class HandoverClient: Sendable {
    /// The listening sockets of the former process.
    package let listeners: [ReceivedListener]
    let offer: HandoverState
    private let channel: DescriptorChannel

    private static let timeout = Duration.seconds(10)

    /// Sends a request to the process that listens at the path. This blocks for at most ten seconds.
    ///
    /// The result is `nil` if no process listens there.
    /// - Throws: ``OperationError`` if a process listens there but does not hand over its sockets.
    package init?(path: String) throws {
        do throws(SystemError) {
            guard let channel = try DescriptorChannel.connect(path) else { return nil }
            guard channel.isOfSameUser else { throw SystemError(EPERM) }
            try channel.send(TakeoverWord.ask)
            guard let answer = try channel.receive(within: Self.timeout) else { throw SystemError(ECONNRESET) }
            guard let offer = HandoverState(bytes: answer.bytes), offer.listeners.count == answer.descriptors.count
            else { throw SystemError(EPROTO) }
            self.channel = channel
            self.offer = offer
            listeners = zip(answer.descriptors, offer.listeners).compactMap { socket, listener in
                ReceivedListener(
                    owning: socket, route: listener.route, hasChosenPort: listener.hasChosenPort, ownsPath: true)
            }
        } catch {
            throw OperationError.takeover("\(path): \(error.message)")
        }
    }

    /// Tells the former process that this one serves. This blocks, for at most ten seconds, until the former process
    /// has closed the sockets that only one process can have open.
    func finish() throws {
        do throws(SystemError) {
            try channel.send(TakeoverWord.done)
            _ = try channel.receive(within: Self.timeout)
        } catch {
            throw OperationError.takeover(error.message)
        }
    }
}

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

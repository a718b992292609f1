import FailoverCore
package import FailoverProxy
import FailoverSystem
import Glibc

/// The running process whose place this one takes: gives its listening sockets, goes on until this one serves, then lets
/// its sessions end.
package final class Predecessor: Sendable {
    /// Its listening sockets.
    package let listeners: [ReceivedListener]
    let offer: TakeoverOffer
    private let channel: DescriptorChannel

    private static let patience = Duration.seconds(10)

    /// Asks whoever offers its place at the path. Blocks, for ten seconds at most.
    ///
    /// Returns `nil` when nobody does.
    /// - Throws: when there is somebody who does not hand it over.
    package init?(path: String) throws {
        do throws(SystemError) {
            guard let channel = try DescriptorChannel.connect(path) else { return nil }
            guard channel.isOfSameUser else { throw SystemError(EPERM) }
            try channel.send(TakeoverWord.ask)
            guard let answer = try channel.receive(within: Self.patience) else { throw SystemError(ECONNRESET) }
            guard let offer = TakeoverOffer(bytes: answer.bytes), offer.listeners.count == answer.descriptors.count
            else { throw SystemError(EPROTO) }
            self.channel = channel
            self.offer = offer
            listeners = zip(answer.descriptors, offer.listeners).compactMap { socket, listener in
                ReceivedListener(
                    owning: socket, route: listener.route, hasChosenPort: listener.hasChosenPort, ownsPath: true)
            }
        } catch {
            throw TakeoverError(words: "\(path): \(error.words)")
        }
    }

    /// This process serves: has the former one stop. Blocks until it has closed what this one could not open beside it.
    func finish() throws {
        do throws(SystemError) {
            try channel.send(TakeoverWord.done)
            _ = try channel.receive(within: Self.patience)
        } catch {
            throw TakeoverError(words: error.words)
        }
    }
}

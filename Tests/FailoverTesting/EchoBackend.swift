/// A backend that sends its name and then echoes what it receives, or plays a script.
///
/// It runs until ``stop()`` or the end of the process, even if nothing references it.
public final class EchoBackend: Sendable {
    private let sockets = FaultyServerSockets(backlog: 1024)

    /// - Parameters:
    ///   - greeting: the first bytes for each client.
    ///   - play: runs after the greeting. The connection closes when it ends.
    public init(
        greeting: String = "",
        play: @escaping @Sendable (FaultyServerConnection) -> Void = { client in
            while case let bytes = client.receive(), !bytes.isEmpty { client.send(bytes) }
        }
    ) {
        sockets.serve { client in
            client.send(Array(greeting.utf8))
            play(client)
        }
    }

    public var port: Int { Int(sockets.port) }

    /// The number of connections so far.
    public var connections: Int { sockets.acceptedCount }

    /// Refuses new connections. Open ones continue.
    public func stop() { sockets.stopListening() }
}

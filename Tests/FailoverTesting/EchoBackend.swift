/// A backend that says its name and then sends back what it gets, or plays a script.
///
/// It lives until ``stop()`` or the end of the process, whoever holds it.
public final class EchoBackend: Sendable {
    private let sockets = FaultyServerSockets(backlog: 1024)

    /// - Parameters:
    ///   - greeting: what it says first to each client.
    ///   - play: goes on after the greeting; the connection closes when it ends.
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

    /// How many connections there were.
    public var connections: Int { sockets.acceptedCount }

    /// Connections are refused from now on; those that are open go on.
    public func stop() { sockets.stopListening() }
}

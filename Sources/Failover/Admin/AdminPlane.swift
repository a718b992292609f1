import FailoverAdmin
import FailoverCore
import Logging

/// The listeners of the admin plane. A reload may change them. Each has its own server, so that unchanged listeners
/// stay open.
final class AdminPlane: Sendable {
    fileprivate final class Listener: Sendable {
        let endpoint: Endpoint
        let server: AdminServer

        init(_ endpoint: Endpoint, _ access: Current<AccessPolicy>) async throws {
            self.endpoint = endpoint
            server = try await AdminServer(listener: endpoint, access: access.value)
        }
    }

    /// A prepared change. Its new listeners are already open.
    struct Change: Sendable {
        fileprivate let access: AccessPolicy
        fileprivate let kept: [Listener]
        fileprivate let opened: [Listener]
        fileprivate let closed: [Listener]
    }

    private let access = Current(AccessPolicy(token: nil))
    private let listeners = Lock<[Listener]>([])
    private let tasks = RunningTasks()

    /// How long a removed listener stays open. Meanwhile the client that requested the change receives its answer.
    private static let lastAnswers = Duration.seconds(1)

    /// The addresses of the listeners, with the ports that the system chose.
    var addresses: [String] { listeners.withLock { $0 }.map(\.server.address) }

    /// Opens the new listeners. They answer no request before ``commit(_:backend:)``.
    ///
    /// - Throws: an error if a listener cannot be opened. Nothing has changed in that case.
    func prepare(_ configuration: AdminConfiguration?) async throws -> Change {
        let present = listeners.withLock { $0 }
        let wanted = configuration?.listen ?? []
        var opened: [Listener] = []
        do {
            for endpoint in wanted where !present.contains(where: { $0.endpoint == endpoint }) {
                opened.append(try await Listener(endpoint, access))
            }
        } catch {
            await abandon(opened)
            throw error
        }
        return Change(
            access: AccessPolicy(token: configuration?.token),
            kept: present.filter { wanted.contains($0.endpoint) }, opened: opened,
            closed: present.filter { !wanted.contains($0.endpoint) })
    }

    /// Closes the listeners that were opened for the change.
    func abandon(_ change: Change) async { await abandon(change.opened) }

    /// Puts the change into effect: the new listeners answer, the new token is required, and removed listeners are
    /// closed.
    func commit(_ change: Change, backend: ApplicationAdmin) {
        access.change(to: change.access)
        listeners.withLock { $0 = change.kept + change.opened }
        for listener in change.opened {
            tasks.start(listener) { await listener.server.run(backend) }
        }
        for listener in change.closed {
            Task { [tasks] in
                try? await Task.sleep(for: Self.lastAnswers)
                await tasks.end(listener)
            }
        }
    }

    /// Closes all listeners.
    func stop() async { await tasks.endAll() }

    private func abandon(_ listeners: [Listener]) async {
        for listener in listeners { await listener.server.close() }
    }
}

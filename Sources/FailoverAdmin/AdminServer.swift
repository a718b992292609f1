package import FailoverCore

/// The admin plane: the API, the status page and the metrics, over HTTP.
package struct AdminServer: Sendable {
    private let server: HTTPServer
    private let access: AccessPolicy

    /// Opens the listeners; nobody is answered before ``run(_:)``.
    ///
    /// - Parameter idleTime: after which a connection is closed on which nothing was written.
    /// - Throws: ``AdminListenError``; nothing stays open then.
    package init(
        listeners: [Endpoint], access: AccessPolicy, idleTime: Duration = .seconds(30)
    ) async throws {
        server = try await HTTPServer(listeners, idleTime: idleTime)
        self.access = access
    }

    /// Where it listens, with the ports that the system chose.
    package var addresses: [String] { server.addresses }

    /// Answers until the task is cancelled.
    package func run(_ backend: any AdminBackend) async {
        let router = AdminRouter(backend: backend, access: access)
        await server.run { await router.respond($0) }
    }
}

package import FailoverCore

/// The admin plane: the API, the status page and the metrics, over HTTP.
package struct AdminServer: Sendable {
    private let server: HTTPServer
    private let access: @Sendable () -> AccessPolicy

    /// Opens the listeners; nobody is answered before ``run(_:)``.
    ///
    /// - Parameters:
    ///   - access: who may do what, asked for at each request.
    ///   - idleTime: after which a connection is closed on which nothing was written.
    /// - Throws: ``AdminListenError``; nothing stays open then.
    package init(
        listeners: [Endpoint], access: @autoclosure @escaping @Sendable () -> AccessPolicy,
        idleTime: Duration = .seconds(30)
    ) async throws {
        server = try await HTTPServer(listeners, idleTime: idleTime)
        self.access = access
    }

    /// Where it listens, with the ports that the system chose.
    package var addresses: [String] { server.addresses }

    /// Answers until the task is cancelled.
    package func run(_ backend: any AdminBackend) async {
        await server.run { await AdminRouter(backend: backend, access: access()).respond($0) }
    }

    /// Closes the listeners of a server that is not to run.
    package func close() async { await server.close() }
}

package import FailoverCore

/// The admin plane at one listener: the API, the status page and the metrics, over HTTP.
package struct AdminServer: Sendable {
    private let server: HTTPServer
    private let access: @Sendable () -> AccessPolicy

    /// Opens the listener; nobody is answered before ``run(_:)``.
    ///
    /// - Parameters:
    ///   - access: who may do what, asked for at each request.
    ///   - idleTime: after which a connection is closed on which nothing was written.
    ///   - firstRequestLimit: how long a client may take for the head of its first request.
    /// - Throws: ``AdminListenError``.
    package init(
        listener: Endpoint, access: @autoclosure @escaping @Sendable () -> AccessPolicy,
        idleTime: Duration = .seconds(30), firstRequestLimit: Duration = .seconds(5)
    ) async throws {
        server = try await HTTPServer(listener, idleTime: idleTime, firstRequestLimit: firstRequestLimit)
        self.access = access
    }

    /// Where it listens, with the port that the system chose.
    package var address: String { server.address }

    /// Answers until the task is cancelled.
    package func run(_ backend: any AdminBackend) async {
        let stream = EventStream(backend)
        let telling = Task { await stream.run() }
        await server.run { await AdminRouter(backend: backend, stream: stream, access: access()).respond($0) }
        telling.cancel()
        await telling.value
    }

    /// Closes the listener of a server that is not to run.
    package func close() async { await server.close() }
}

import Failover
import FailoverAdmin
import FailoverCore
import FailoverSystem

/// The requests of a drill to the running `failover`, on threads that may block.
struct DrillClient: Sendable {
    /// The route's name.
    let route: String
    private let client: AdminClient
    private let threads = BlockingThreads()

    init(_ client: AdminClient, route: String) {
        self.client = client
        self.route = route
    }

    func begin(_ request: DrillRun.Request) async throws(OperationError) -> String {
        let body = Body(
            alias: request.alias, forSeconds: Int(request.duration.components.seconds), force: request.isForced)
        return try await ask { client throws(OperationError) in
            try client.act("api/v1/routes/\(pathPart(route))/drill", body)
        }
    }

    @discardableResult
    func end() async throws(OperationError) -> String {
        try await ask { client throws(OperationError) in
            try client.act("api/v1/routes/\(pathPart(route))/end-drill", [String: String]())
        }
    }

    /// The current status of the route, and the ID of the process that serves it.
    func status() async throws(OperationError) -> (route: RouteDocument, process: Int32) {
        let status = try await ask { client throws(OperationError) in try client.status() }
        guard let document = status.routes.first(where: { $0.name == route }) else {
            throw OperationError(.administration, "there is no route \(route)")
        }
        return (document, status.processId)
    }

    /// The server's message about the end of the latest drill.
    func ending() async throws(OperationError) -> String? {
        try await ask { client throws(OperationError) in try client.events(100) }
            .first { $0.kind == .drillEnd && $0.subject == route }?.message
    }

    func sessions() async throws(OperationError) -> [SessionDocument] {
        try await ask { client throws(OperationError) in try client.sessions(ofRoute: pathPart(route)) }
    }

    private struct Body: Encodable {
        let alias: String?
        let forSeconds: Int
        let force: Bool
    }

    private func ask<Value: Sendable>(
        _ body: @escaping @Sendable (AdminClient) throws(OperationError) -> Value
    ) async throws(OperationError) -> Value {
        let result: Result<Value, OperationError>
        do throws(PingFailure) {
            result = try await threads.run { [client] () throws(PingFailure) in
                Result { () throws(OperationError) in try body(client) }
            }
        } catch {
            throw OperationError(.administration, error.detail)
        }
        return try result.get()
    }
}

import Failover
import FailoverAdmin
import FailoverCore
import FailoverSystem

/// What a drill asks of the running `failover`, on threads that may block.
struct DrillClient: Sendable {
    /// The route's name.
    let route: String
    private let client: AdminClient
    private let threads = BlockingThreads()

    init(_ client: AdminClient, route: String) {
        self.client = client
        self.route = route
    }

    func begin(_ request: Rehearsal.Request) async throws(AdminClientError) -> String {
        let body = Body(
            alias: request.alias, forSeconds: Int(request.duration.components.seconds), force: request.isForced)
        return try await ask { client throws(AdminClientError) in
            try client.act("api/v1/routes/\(pathPart(route))/drill", body)
        }
    }

    @discardableResult
    func end() async throws(AdminClientError) -> String {
        try await ask { client throws(AdminClientError) in
            try client.act("api/v1/routes/\(pathPart(route))/end-drill", [String: String]())
        }
    }

    /// The route as it is now, and the process that serves it.
    func status() async throws(AdminClientError) -> (route: RouteDocument, process: Int32) {
        let status = try await ask { client throws(AdminClientError) in try client.status() }
        guard let document = status.routes.first(where: { $0.name == route }) else {
            throw AdminClientError(words: "there is no route \(route)")
        }
        return (document, status.processId)
    }

    /// What the server said of the end of the latest drill.
    func ending() async throws(AdminClientError) -> String? {
        try await ask { client throws(AdminClientError) in try client.events(100) }
            .first { $0.kind == .drillEnd && $0.subject == route }?.message
    }

    func sessions() async throws(AdminClientError) -> [SessionDocument] {
        try await ask { client throws(AdminClientError) in try client.sessions(ofRoute: pathPart(route)) }
    }

    private struct Body: Encodable {
        let alias: String?
        let forSeconds: Int
        let force: Bool
    }

    private func ask<Value: Sendable>(
        _ body: @escaping @Sendable (AdminClient) throws(AdminClientError) -> Value
    ) async throws(AdminClientError) -> Value {
        let result: Result<Value, AdminClientError>
        do throws(PingFailure) {
            result = try await threads.run { [client] () throws(PingFailure) in
                Result { () throws(AdminClientError) in try body(client) }
            }
        } catch {
            throw AdminClientError(words: error.detail)
        }
        return try result.get()
    }
}

import NIOHTTP1

/// Maps each request to its response.
struct AdminRouter: Sendable {
    private static let base = ["api", "v1"]

    let backend: any AdminBackend
    let stream: EventStream
    let access: AccessPolicy

    func respond(_ request: AdminRequest) async -> AdminResponse {
        switch request.path {
        case ["livez"]: return onlyReading(request) { .text("ok\n") }
        case ["readyz"]:
            let isReady = backend.isReady
            return onlyReading(request) {
                isReady ? .text("ready\n") : .text("not ready\n", status: .serviceUnavailable)
            }
        case []: return onlyReading(request) { StatusPage.response }
        default: break
        }
        if let refusal = access.refusal(of: request) { return refusal }
        if request.path == ["metrics"] { return await metrics(request) }
        guard request.path.starts(with: Self.base) else { return .error(.notFound, "there is no such page") }
        return await api(Array(request.path.dropFirst(Self.base.count)), request)
    }

    private func metrics(_ request: AdminRequest) async -> AdminResponse {
        guard request.isReading else { return .error(.methodNotAllowed, "only GET is allowed") }
        return AdminResponse(
            status: .ok, contentType: "text/plain; version=0.0.4; charset=utf-8",
            body: .bytes(Array(await backend.metrics().utf8)))
    }

    private func api(_ path: [String], _ request: AdminRequest) async -> AdminResponse {
        switch (request.method, path) {
        case (.GET, ["status"]): return .json(await backend.status())
        case (.GET, let path) where path.count == 2 && path[0] == "services": return await service(path[1])
        case (.GET, ["events"]):
            let limit = request.query["limit"].map { Int($0) } ?? 100
            guard let limit, (1...EventRing.capacity).contains(limit) else {
                return .error(.badRequest, "limit must be a number from 1 to \(EventRing.capacity)")
            }
            return .json(["events": backend.events.latest(limit)])
        case (.GET, ["sessions"]): return await sessions(request)
        case (.GET, ["events", "stream"]):
            guard !stream.isFull else {
                return .error(.serviceUnavailable, "\(EventStream.mostFollowers) clients already follow the events")
            }
            return AdminResponse(
                status: .ok, contentType: "text/event-stream", body: .stream(await stream.follow()))
        case (.GET, ["configuration"]): return .text(backend.configurationText)
        case (.GET, ["openapi.json"]): return OpenAPI.response
        case (.POST, _): return await act(path, request)
        case (.GET, _): return .error(.notFound, "there is no such resource")
        default: return .error(.methodNotAllowed, "only GET and POST are allowed")
        }
    }

    private func service(_ name: String) async -> AdminResponse {
        guard let service = await backend.status().services.first(where: { $0.name == name }) else {
            return .error(.notFound, "there is no service \(name)")
        }
        return .json(service)
    }

    private func sessions(_ request: AdminRequest) async -> AdminResponse {
        let limit = request.query["limit"].map { Int($0) } ?? 100
        let after = request.query["after"].map { UInt64($0) } ?? 0
        guard let limit, (1...200).contains(limit), let after else {
            return .error(.badRequest, "limit must be a number from 1 to 200, and after a session number")
        }
        do throws(AdminError) {
            let sessions = try await backend.sessions(route: request.query["route"], after: after, limit: limit)
            return .json(SessionsDocument(sessions, limit: limit))
        } catch {
            return response(to: error)
        }
    }

    private func response(to error: AdminError) -> AdminResponse {
        switch error {
        case .unknown(let message): .error(.notFound, message)
        case .malformed(let message): .error(.badRequest, message)
        case .conflict(let message): .error(.conflict, message)
        }
    }

    private func act(_ path: [String], _ request: AdminRequest) async -> AdminResponse {
        do throws(AdminError) {
            return .json(["message": try await message(path, request)])
        } catch {
            return response(to: error)
        }
    }

    private func message(_ path: [String], _ request: AdminRequest) async throws(AdminError) -> String {
        if path == ["sessions", "close"] {
            let body: CloseBody = try decoded(request)
            return try backend.closeSessions(route: body.route, alias: body.alias)
        }
        if path == ["reload"] { return try await backend.reload() }
        guard path.count == 3 else { throw .unknown("there is no such action") }
        switch (path[0], path[1], path[2]) {
        case ("services", let name, "ping"): return try await backend.ping(service: name)
        case ("routes", let name, "switch"):
            let body: SwitchBody = try decoded(request)
            if let seconds = body.forSeconds, !(1...31_536_000).contains(seconds) {
                throw .malformed("for_seconds must be a number from 1 to 31536000")
            }
            return try backend.switch(
                route: name, to: body.alias, for: body.forSeconds.map { .seconds($0) })
        case ("routes", let name, "release"): return try backend.release(route: name)
        case ("routes", let name, "drill"): return try drill(name, try decoded(request))
        case ("routes", let name, "end-drill"): return try backend.endDrill(route: name)
        case ("aliases", let name, "drain"): return try backend.drain(alias: name)
        case ("aliases", let name, "undrain"): return try backend.undrain(alias: name)
        default: throw .unknown("there is no such action")
        }
    }

    private func drill(_ route: String, _ body: DrillBody) throws(AdminError) -> String {
        let seconds = body.forSeconds ?? 30
        guard (1...3600).contains(seconds) else { throw .malformed("for_seconds must be a number from 1 to 3600") }
        return try backend.drill(
            route: route, alias: body.alias, for: .seconds(seconds), isForced: body.force ?? false)
    }

    private struct DrillBody: Decodable {
        let alias: String?
        let forSeconds: Int?
        let force: Bool?
    }

    private struct SwitchBody: Decodable {
        let alias: String
        let forSeconds: Int?
    }

    private struct CloseBody: Decodable {
        let route: String
        let alias: String?
    }

    private func decoded<Body: Decodable>(_ request: AdminRequest) throws(AdminError) -> Body {
        guard let body = AdminJSON.decode(Body.self, from: request.body) else {
            throw .malformed("the body is not a JSON object with the fields of this action")
        }
        return body
    }

    private func onlyReading(_ request: AdminRequest, _ response: () -> AdminResponse) -> AdminResponse {
        request.isReading ? response() : .error(.methodNotAllowed, "only GET is allowed")
    }
}

/// `GET /api/v1/openapi.json`: the API as an OpenAPI 3.1 document.
enum OpenAPI {
    static let response = AdminResponse(
        status: .ok, contentType: "application/json", body: .bytes(PackageResources.openapi_json))
}

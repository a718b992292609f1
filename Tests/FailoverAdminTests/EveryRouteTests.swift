import Foundation
import Testing

@testable import FailoverAdmin

/// Each operation of the OpenAPI document, requested without permission and in wrong ways.
@Suite("Every route refuses", .timeLimit(.minutes(5)))
struct EveryRouteTests {
    /// An operation of the document.
    struct Operation: Sendable, CustomTestStringConvertible {
        let method: String
        let path: String
        var testDescription: String { "\(method) \(path)" }
        /// Whether the operation needs no token: the page, which holds no data, and the probes.
        var isOpen: Bool { ["/", "/livez", "/readyz"].contains(path) }
    }

    private static let token = "correct-horse"

    static var operations: [Operation] {
        get throws {
            let document = try JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json))
            let paths = (document as? [String: Any])?["paths"] as? [String: [String: Any]] ?? [:]
            return paths.flatMap { path, methods in
                methods.keys.map { method in
                    Operation(
                        method: method.uppercased(), path: path.replacing(/\{[a-z]+\}/, with: "slave"))
                }
            }.sorted { ($0.path, $0.method) < ($1.path, $1.method) }
        }
    }

    private func status(
        _ admin: AdminUnderTest, _ operation: Operation, method: String? = nil, headers: String = "",
        body: String = ""
    ) async throws -> String {
        let answer = try await admin.get(
            operation.path, method: method ?? operation.method,
            headers: "Content-Type: application/json\r\n\(headers)", body: body)
        return answer.split(separator: " ").dropFirst().first.map(String.init) ?? answer
    }

    @Test func thereAreMany() throws {
        #expect(try Self.operations.count > 10)
        #expect(try Self.operations.contains { $0.path == "/api/v1/reload" })
    }

    @Test(arguments: try operations)
    func whoBringsNoTokenOrAWrongOne(_ operation: Operation) async throws {
        let admin = try await AdminUnderTest(token: Self.token)
        for header in [
            "", "Authorization: Bearer wrong-horse\r\n", "Authorization: Bearer \r\n", "Authorization: Basic x\r\n",
            "Authorization: Bearer \(Self.token)x\r\n",
        ] {
            let status = try await status(
                admin, operation, headers: header, body: operation.method == "POST" ? "{}" : "")
            #expect(operation.isOpen ? ["200", "503"].contains(status) : status == "401", "\(header): \(status)")
        }
        #expect(admin.backend.actions == [])
        await admin.stop()
    }

    @Test(arguments: try operations)
    func otherMethods(_ operation: Operation) async throws {
        let admin = try await AdminUnderTest(token: Self.token)
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", operation.method == "GET" ? "POST" : "GET"] {
            let status = try await status(
                admin, operation, method: method, headers: "Authorization: Bearer \(Self.token)\r\n", body: "{}")
            #expect(["400", "404", "405"].contains(status), "\(method): \(status)")
        }
        #expect(admin.backend.actions == [])
        await admin.stop()
    }

    @Test(arguments: try operations.filter { $0.method == "POST" })
    func bodiesThatAreTooLongOrNoJSON(_ operation: Operation) async throws {
        let admin = try await AdminUnderTest(token: Self.token)
        let header = "Authorization: Bearer \(Self.token)\r\n"
        // A client that sends too much may be disconnected while it still sends.
        let long = try await status(admin, operation, headers: header, body: String(repeating: "x", count: 100_000))
        #expect(["413", ""].contains(long), "\(long)")
        for body in ["\u{0}\u{1}\u{fe}", "{\"alias\":", "[1, 2]", "{\"alias\": 5, \"route\": []}"] {
            let status = try await status(admin, operation, headers: header, body: body)
            // Actions that need no body do not read it.
            #expect(["200", "400", "409"].contains(status), "\(body): \(status)")
        }
        await admin.stop()
    }
}

import FailoverCore
import Foundation
import Testing

@testable import FailoverAdmin

/// Checks that the OpenAPI document matches the server.
@Suite("The OpenAPI document", .timeLimit(.minutes(5)))
struct OpenAPITests {
    typealias Object = [String: Any]

    private func document() throws -> Object {
        try #require(try JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json)) as? Object)
    }

    private func json(_ answer: String) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(AdminUnderTest.body(answer).utf8))
    }

    /// The violations of a value, by the keywords of JSON Schema that the document uses.
    private func problems(_ value: Any, _ schema: Object, _ all: Object, _ place: String = "") -> [String] {
        if let reference = schema["$ref"] as? String, let name = reference.split(separator: "/").last {
            guard let target = all[String(name)] as? Object else { return ["\(place): no schema \(name)"] }
            return problems(value, target, all, place)
        }
        if let options = schema["oneOf"] as? [Object] {
            let fitting = options.count { problems(value, $0, all, place).isEmpty }
            return fitting == 1 ? [] : ["\(place): \(fitting) of oneOf"]
        }
        if let words = schema["enum"] as? [String] {
            return (value as? String).map(words.contains) == true ? [] : ["\(place): \(value) is none of \(words)"]
        }
        let types = (schema["type"] as? [String]) ?? (schema["type"] as? String).map { [$0] } ?? []
        guard types.isEmpty || types.contains(where: { isA($0, value) }) else { return ["\(place): no \(types)"] }
        if let object = value as? Object, let properties = schema["properties"] as? Object {
            let missing = (schema["required"] as? [String] ?? []).filter { object[$0] == nil }.map {
                "\(place): no \($0)"
            }
            let unknown = object.keys.filter { properties[$0] == nil }.map { "\(place): \($0) is not described" }
            return missing + unknown
                + object.flatMap { key, value in
                    (properties[key] as? Object).map { problems(value, $0, all, "\(place).\(key)") } ?? []
                }
        }
        if let array = value as? [Any], let items = schema["items"] as? Object {
            return array.enumerated().flatMap { problems($1, items, all, "\(place)[\($0)]") }
        }
        return []
    }

    private func isA(_ type: String, _ value: Any) -> Bool {
        switch type {
        case "null": value is NSNull
        case "object": value is Object
        case "array": value is [Any]
        case "string": value is String
        case "boolean", "integer", "number": value is NSNumber
        default: false
        }
    }

    @Test(arguments: [
        ("/api/v1/status", "Status"), ("/api/v1/events", "Events"), ("/api/v1/sessions", "Sessions"),
        ("/api/v1/services/slave", "Service"),
    ])
    func documentsAreAsDescribed(path: String, schema: String) async throws {
        let admin = try await AdminUnderTest()
        admin.backend.events.add(AdminEvent(.drain, "slave", "drained", at: .init(sinceEpoch: .zero)))
        let components = try document()["components"] as? Object
        let schemas = try #require(components?["schemas"] as? Object)
        let value = try json(try await admin.get(path))
        #expect(problems(value, ["$ref": "#/\(schema)"], schemas, schema) == [])
        // Shows that the check can fail.
        #expect(problems(["nothing": 1] as Object, ["$ref": "#/\(schema)"], schemas, schema) != [])
        await admin.stop()
    }

    @Test func eachPathIsServed() async throws {
        let admin = try await AdminUnderTest()
        let paths = try #require(try document()["paths"] as? [String: Object])
        #expect(paths.count > 10)
        for (path, methods) in paths where !path.hasSuffix("/stream") {
            let path = path.replacing("{name}", with: "slave")
            for method in methods.keys {
                let answer =
                    method == "get"
                    ? try await admin.get(path)
                    : try await admin.post(path, #"{"route": "a", "alias": "a"}"#)
                #expect(!answer.hasPrefix("HTTP/1.1 404") && !answer.hasPrefix("HTTP/1.1 405"), "\(method) \(path)")
                #expect(answer.hasPrefix("HTTP/1.1 "), "\(method) \(path)")
            }
        }
        await admin.stop()
    }
}

import NIOHTTP1

/// `GET /api/v1/openapi.json`: the API as an OpenAPI 3.1 document.
enum OpenAPI {
    static let response = AdminResponse(
        status: .ok, contentType: "application/json", body: .bytes(PackageResources.openapi_json))
}

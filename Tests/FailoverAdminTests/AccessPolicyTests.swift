import FailoverCore
import NIOHTTP1
import Testing

@testable import FailoverAdmin

@Suite("Access to the admin plane")
struct AccessPolicyTests {
    private func request(
        _ method: HTTPMethod = .GET, _ headers: [(String, String)] = [("Host", "127.0.0.1:8404")], unix: Bool = false
    ) -> AdminRequest {
        AdminRequest(
            HTTPRequestHead(version: .http1_1, method: method, uri: "/api/v1/status", headers: HTTPHeaders(headers)),
            isThroughUnixSocket: unix)
    }

    private func status(_ request: AdminRequest, token: String? = nil) -> Int? {
        AccessPolicy(token: token.map { Secret($0) }).refusal(of: request).map { Int($0.status.code) }
    }

    @Test(arguments: [
        "", "Bearer", "Bearer ", "Bearer wrong", "Bearer secre", "Bearer secrets", "Basic secret", "secret",
    ])
    func withoutTheTokenNothingIsTold(authorization: String) {
        #expect(status(request(.GET, [("Host", "proxy"), ("Authorization", authorization)]), token: "secret") == 401)
    }

    @Test func theTokenOpensFromAnywhere() {
        #expect(status(request(.GET, [("Host", "proxy"), ("Authorization", "Bearer secret")]), token: "secret") == nil)
        #expect(status(request(), token: "secret") == 401)
    }

    @Test func aUnixSocketsPermissionsAreEnough() {
        #expect(status(request(.GET, [], unix: true), token: "secret") == nil)
        #expect(status(request(.GET, [], unix: true)) == nil)
    }

    @Test(arguments: ["127.0.0.1", "127.0.0.1:8404", "localhost:8404", "LOCALHOST", "[::1]:8404"])
    func withoutATokenThisMachineIsNamed(host: String) { #expect(status(request(.GET, [("Host", host)])) == nil) }

    @Test(arguments: ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8404", "[::1].evil", ""])
    func aNameThatWasMadeToMeanThisMachineIsRefused(host: String) {
        #expect(status(request(.GET, [("Host", host)])) == 403)
        #expect(status(request(.GET, [])) == 403)
    }

    @Test func aPageOfAnotherOriginChangesNothing() {
        let host = ("Host", "127.0.0.1:8404")
        let json = ("Content-Type", "application/json; charset=utf-8")
        #expect(status(request(.POST, [host, json])) == nil)
        #expect(status(request(.POST, [host, json, ("Origin", "http://127.0.0.1:8404")])) == nil)
        #expect(status(request(.POST, [host, json, ("Origin", "http://evil.example")])) == 403)
        #expect(status(request(.POST, [host, json, ("Origin", "null")])) == 403)
        // The content types that an HTML form can send.
        #expect(status(request(.POST, [host])) == 415)
        #expect(status(request(.POST, [host, ("Content-Type", "text/plain")])) == 415)
    }

    @Test func secretsAreComparedInWhole() {
        for (one, other) in [("", ""), ("a", "a"), ("secret", "secret")] {
            #expect(ConstantTime.areEqual(Array(one.utf8), Array(other.utf8)))
        }
        for (one, other) in [("", "a"), ("a", ""), ("secret", "secreT"), ("aa", "a"), ("a", "aa")] {
            #expect(!ConstantTime.areEqual(Array(one.utf8), Array(other.utf8)))
        }
    }
}

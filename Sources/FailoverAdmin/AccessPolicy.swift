package import FailoverCore
import NIOHTTP1

/// Which clients may make which requests.
package struct AccessPolicy: Sendable {
    /// The token that clients must present, except on a Unix socket. Without a token, only this machine has access.
    private let token: Secret?

    package init(token: Secret?) { self.token = token }

    /// Why a request is refused; `nil` if it is allowed.
    func refusal(of request: AdminRequest) -> AdminResponse? {
        if !request.isThroughUnixSocket {
            if let token {
                guard shows(token, request) else {
                    var response = AdminResponse.error(.unauthorized, "a valid bearer token is needed")
                    response.headers.append(("WWW-Authenticate", "Bearer"))
                    return response
                }
            } else if !namesThisMachine(request) {
                // Protects against DNS rebinding: a page of another site whose host name now resolves to this machine;
                // RFC 9110 §7.2.
                return .error(.forbidden, "without a token the Host must be localhost, 127.0.0.1 or [::1]")
            }
        }
        return request.isReading ? nil : refusalOfChange(request)
    }

    /// A request that changes something must not come from a page of another origin. Browsers send such requests only
    /// with a plain content type, and always send their origin.
    private func refusalOfChange(_ request: AdminRequest) -> AdminResponse? {
        let type = request.headers.first(name: "Content-Type")?.split(separator: ";").first
        guard type?.trimmingSpaces.lowercased() == "application/json" else {
            return .error(.unsupportedMediaType, "Content-Type must be application/json")
        }
        if let origin = request.headers.first(name: "Origin") {
            let host = request.headers.first(name: "Host") ?? ""
            guard !host.isEmpty, origin == "http://\(host)" || origin == "https://\(host)" else {
                return .error(.forbidden, "requests from other origins are refused")
            }
        }
        return nil
    }

    private func shows(_ token: Secret, _ request: AdminRequest) -> Bool {
        let scheme = "Bearer "
        guard let header = request.headers.first(name: "Authorization"), header.hasPrefix(scheme) else { return false }
        return ConstantTime.areEqual(Array(header.dropFirst(scheme.count).utf8), Array(token.reveal().utf8))
    }

    private func namesThisMachine(_ request: AdminRequest) -> Bool {
        // This runs for each request, and a regular expression would take longer than everything else.
        let host = (request.headers.first(name: "Host") ?? "").lowercased()
        let parts = host.split(separator: ":", omittingEmptySubsequences: false)
        let port = parts.last ?? ""
        let hasPort = !port.isEmpty && port.allSatisfy { $0.isASCII && $0.isNumber }
        let name = hasPort ? parts.dropLast().joined(separator: ":") : host
        return ["localhost", "127.0.0.1", "[::1]"].contains(name)
    }
}

/// A comparison whose duration does not depend on where two secrets differ.
enum ConstantTime {
    static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        var difference = one.count ^ other.count
        for index in one.indices { difference |= Int(one[index] ^ (other.isEmpty ? 0 : other[index % other.count])) }
        return difference == 0
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        let start = drop { $0 == " " || $0 == "\t" }
        return Substring(start.reversed().drop { $0 == " " || $0 == "\t" }.reversed().map { $0 })
    }
}

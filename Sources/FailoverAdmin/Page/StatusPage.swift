import COpenSSL
import Foundation
import NIOHTTP1

/// `GET /`: one file of HTML, CSS and script, which a policy keeps from doing anything but showing the API of this server.
enum StatusPage {
    static let response = AdminResponse(
        status: .ok, contentType: "text/html; charset=utf-8", body: .bytes(PackageResources.index_html),
        headers: [
            ("Content-Security-Policy", policy), ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
        ])

    /// Content Security Policy Level 3: the page's own style and script by their hashes, and nothing else.
    private static let policy: String = {
        let text = String(decoding: PackageResources.index_html, as: UTF8.self)
        let (style, script) = (hash(ofContentsOf: "style", in: text), hash(ofContentsOf: "script", in: text))
        return """
            default-src 'none'; style-src '\(style)'; script-src '\(script)'; connect-src 'self'; base-uri 'none'; \
            form-action 'none'; frame-ancestors 'none'
            """
    }()

    /// `sha256-…` of what stands between the tags of the one element of this name.
    private static func hash(ofContentsOf element: String, in text: String) -> String {
        guard let start = text.firstRange(of: "<\(element)>"),
            let end = text[start.upperBound...].firstRange(of: "</\(element)>")
        else { return "none" }
        let bytes = Array(text[start.upperBound..<end.lowerBound].utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
        return "sha256-\(Data(digest).base64EncodedString())"
    }
}

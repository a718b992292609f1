import FailoverCore
import FoundationEssentials

/// What a webhook's URL has to be. No message repeats any of it: it is often a secret.
enum WebhookURL {
    static func check(_ text: String) throws(InvalidText) {
        let isClean = text.utf8.allSatisfy { $0 > 32 && $0 < 127 }
        guard isClean, let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), parts.host?.isEmpty == false
        else {
            throw InvalidText("expected a URL that starts with https:// or http://, in ASCII, without spaces")
        }
    }

    /// The scheme, the host and the port of a URL, and nothing of what may be a token.
    static func hidingPath(of url: Secret) -> String {
        guard let parts = URLComponents(string: url.reveal()), let scheme = parts.scheme, let host = parts.host else {
            return url.description
        }
        return "\(scheme)://\(host)\(parts.port.map { ":\($0)" } ?? "")/\(url.description)"
    }
}

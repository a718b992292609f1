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
}

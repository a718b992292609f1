import CCurl
import FailoverCore
import FailoverSystem

/// One POST of a webhook. Blocks.
struct WebhookRequest: Sendable {
    /// Why it was not accepted.
    enum Failure: Error, Hashable {
        /// No answer: worth another attempt.
        case unanswered(String)
        /// An answer that is no 2xx.
        case status(Int)

        /// Whether another attempt may have more luck: the server is at fault, or wants us to come later.
        var mayPass: Bool {
            switch self {
            case .unanswered: true
            case .status(let status): status >= 500 || status == 429 || status == 408
            }
        }

        var words: String {
            switch self {
            case .unanswered(let words): words
            case .status(let status): "HTTP status \(status)"
            }
        }
    }

    let url: Secret
    let tlsAuthorities: String?
    let body: String

    /// libcurl's own start, which is not safe in two threads at a time.
    private static let isLibraryReady: Bool = {
        _ = CryptoLibrary.survivesExit
        return failover_http_begin() != 0
    }()

    /// Sends it.
    func send(limit: Duration) throws(Failure) {
        guard Self.isLibraryReady else { throw .unanswered("libcurl does not start") }
        let milliseconds = max(1, Int(limit / .milliseconds(1)))
        var result = failover_http_post(url.reveal(), tlsAuthorities, body, body.utf8.count, milliseconds)
        guard result.code == CURLE_OK else {
            let words = withUnsafeBytes(of: &result.words) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            let text = words.isEmpty ? String(cString: curl_easy_strerror(result.code)) : words
            throw .unanswered(LogText.oneLine(text.replacing(url.reveal(), with: url.description)))
        }
        guard (200..<300).contains(result.status) else { throw .status(result.status) }
    }
}

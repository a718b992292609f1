import CCurl
import FailoverCore
import FailoverSystem

/// One POST of a webhook. Blocks.
struct WebhookRequest: Sendable {
    /// Why it was not accepted.
    enum Failure: Error, Hashable {
        /// No answer: worth another attempt.
        case unanswered(String)
        /// Nothing was sent, and never will be: the certificate does not verify, or libcurl cannot use the URL.
        case unsent(String)
        /// An answer that is no 2xx.
        case status(Int)

        /// Whether another attempt may have more luck: the server is at fault, or wants us to come later.
        var mayPass: Bool {
            switch self {
            case .unanswered: true
            case .unsent: false
            case .status(let status): status >= 500 || status == 429 || status == 408
            }
        }

        var words: String {
            switch self {
            case .unanswered(let words), .unsent(let words): words
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

    /// What no other attempt changes; libcurl-errors(3).
    private static let lasting = [
        CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL,
    ]

    /// Sends it.
    func send(limit: Duration) throws(Failure) {
        guard Self.isLibraryReady else { throw .unsent("libcurl does not start") }
        let milliseconds = max(1, Int(limit / .milliseconds(1)))
        var result = failover_http_post(url.reveal(), tlsAuthorities, body, body.utf8.count, milliseconds)
        guard result.code == CURLE_OK else {
            let words = withUnsafeBytes(of: &result.words) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            let text = words.isEmpty ? String(cString: curl_easy_strerror(result.code)) : words
            let shown = LogText.oneLine(text.replacing(url.reveal(), with: url.description))
            throw Self.lasting.contains(result.code) ? .unsent(shown) : .unanswered(shown)
        }
        guard (200..<300).contains(result.status) else { throw .status(result.status) }
    }
}

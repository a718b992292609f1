import CCurl
import FailoverCore
import FailoverSystem

/// One POST of a webhook. Blocks.
struct WebhookRequest: Sendable {
    /// Why the request failed.
    enum Failure: Error, Hashable {
        /// There was no answer. Another attempt may succeed.
        case unanswered(String)
        /// The request was not sent. No other attempt can succeed, because the certificate does not verify or libcurl
        /// cannot use the URL.
        case unsent(String)
        /// The status of the answer is not 2xx.
        case status(Int)

        /// Whether another attempt may succeed: the server did not answer, failed, or requested a later attempt.
        var mayPass: Bool {
            switch self {
            case .unanswered: true
            case .unsent: false
            case .status(let status): status >= 500 || status == 429 || status == 408
            }
        }

        var message: String {
            switch self {
            case .unanswered(let message), .unsent(let message): message
            case .status(let status): "HTTP status \(status)"
            }
        }
    }

    let url: Secret
    let tlsAuthorities: String?
    let body: String

    /// Initialises libcurl, which is not thread-safe.
    private static let isLibraryReady: Bool = {
        _ = CryptoLibrary.survivesExit
        return failover_http_begin() != 0
    }()

    /// The errors that stay the same at each attempt; see libcurl-errors(3).
    private static let lasting = [
        CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL,
    ]

    /// Sends the request.
    func send(limit: Duration) throws(Failure) {
        guard Self.isLibraryReady else { throw .unsent("libcurl cannot be initialised") }
        let milliseconds = max(1, Int(limit / .milliseconds(1)))
        var result = failover_http_post(url.reveal(), tlsAuthorities, body, body.utf8.count, milliseconds)
        guard result.code == CURLE_OK else {
            let message = withUnsafeBytes(of: &result.words) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            let text = message.isEmpty ? String(cString: curl_easy_strerror(result.code)) : message
            let shown = text.replacing(url.reveal(), with: url.description).withoutControls
            throw Self.lasting.contains(result.code) ? .unsent(shown) : .unanswered(shown)
        }
        guard (200..<300).contains(result.status) else { throw .status(result.status) }
    }
}

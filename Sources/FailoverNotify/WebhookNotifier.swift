package import FailoverCore
package import FailoverSystem
import FoundationEssentials

/// Posts each event to a URL. If a failure may be temporary, it tries three more times.
package struct WebhookNotifier: Notifier {
    package typealias Pause = @Sendable (Duration) async throws -> Void

    package let name: String
    private let url: Secret
    private let format: WebhookFormat
    private let tlsAuthorities: String?
    private let threads: BlockingThreads
    private let pause: Pause

    /// The pauses between the attempts.
    static let pauses: [Duration] = [.seconds(1), .seconds(2), .seconds(4)]

    /// - Parameters:
    ///   - url: the URL, which often contains a token. Messages show only its scheme, host and port.
    ///   - tlsAuthorities: the path of a PEM file with the trusted certificate authorities; `nil` for the system's.
    ///   - pause: waits between the attempts. Tests replace it.
    package init(
        url: Secret, format: WebhookFormat, tlsAuthorities: String?, threads: BlockingThreads,
        pause: @escaping Pause = { try await Task.sleep(for: $0) }
    ) {
        name = "webhook \(url.origin)"
        self.url = url
        self.format = format
        self.tlsAuthorities = tlsAuthorities
        self.threads = threads
        self.pause = pause
    }

    package func deliver(_ event: FailoverEvent, limit: Duration) async throws {
        let request = WebhookRequest(url: url, tlsAuthorities: tlsAuthorities, body: format.body(event))
        var attempts = 0
        while true {
            let outcome = await attempt(request, limit: limit)
            attempts += 1
            guard case .failure(let failure) = outcome else { return }
            guard failure.mayPass, attempts <= Self.pauses.count else {
                throw OperationError(
                    .notification,
                    attempts == 1 ? failure.message : "gave up after \(attempts) attempts: \(failure.message)")
            }
            try await pause(Self.pauses[attempts - 1])
        }
    }

    /// Makes one attempt. libcurl enforces the limit, but may wait longer for the end of a name look-up.
    private func attempt(
        _ request: WebhookRequest, limit: Duration
    ) async -> Result<Void, WebhookRequest.Failure> {
        do throws(PingFailure) {
            return try await threads.run(
                within: limit + .seconds(1),
                orFail: { PingFailure(.timeout(.lookup), "no answer within \(limit.text)") }
            ) { () throws(PingFailure) in
                Result { () throws(WebhookRequest.Failure) in try request.send(limit: limit) }
            }
        } catch {
            return .failure(.unanswered(error.detail))
        }
    }
}

extension WebhookFormat {
    /// The body of the POST for the event.
    func body(_ event: FailoverEvent) -> String {
        switch self {
        case .json: return EventJSON(event).text
        case .slack:
            var text = EventMessage(event).headline
            if let failure = event.failure { text += "\n" + failure.detail.withoutControls }
            // Slack requires these three characters to be escaped; api.slack.com/reference/surfaces/formatting.
            for (character, entity) in [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")] {
                text = text.replacing(character, with: entity)
            }
            // Text can always be encoded.
            let data = try? JSONEncoder().encode(["text": text])
            return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        }
    }
}

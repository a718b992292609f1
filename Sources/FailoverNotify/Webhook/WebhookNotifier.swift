package import FailoverCore
package import FailoverSystem

/// Posts each event to a URL; tries again three times when that fails for reasons that may pass.
package struct WebhookNotifier: Notifier {
    package typealias Pause = @Sendable (Duration) async throws -> Void

    package let name: String
    private let url: Secret
    private let format: WebhookFormat
    private let tlsAuthorities: String?
    private let threads: BlockingThreads
    private let pause: Pause

    /// Between the attempts.
    static let pauses: [Duration] = [.seconds(1), .seconds(2), .seconds(4)]

    /// - Parameters:
    ///   - url: often holds a token; only its scheme and host appear anywhere.
    ///   - tlsAuthorities: path of a PEM file with the authorities to trust; `nil` is the system's.
    ///   - pause: waits between the attempts; tests do not.
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
                throw NotifierError(
                    attempts == 1 ? failure.words : "gave up after \(attempts) attempts: \(failure.words)")
            }
            try await pause(Self.pauses[attempts - 1])
        }
    }

    /// libcurl keeps its limit, but may wait longer for a name look-up that it has given up.
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
